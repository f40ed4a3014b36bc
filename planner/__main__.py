"""Entry point of the command `planner`, and of `python -m planner`."""

from planner import interrupt


def main() -> None:
    """Run the command line; what it needs takes a moment to load, in which an interrupt is heard, too."""
    interrupt.listen()
    from planner import cli

    cli.main()


if __name__ == "__main__":
    main()
