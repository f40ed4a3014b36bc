"""A first case to change: two cities, three measures, every row explained; as a folder or as a workbook."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from planner.case import Case
from planner.errors import CaseError, Place, error
from planner.saving import write_files
from planner.tables import SETTINGS_FILE, read_case
from planner.workbook import export_workbook

EXAMPLE = Path(__file__).parent / "case"
README: Mapping[str, str] = {
    "zh": """\
# {name}

由示例案例生成：两个城市、三项措施、两个目标，数字均为虚构。按下面的顺序改成自己的数据，每改一张表就检查一次。

```
planner check {path}
planner solve {path} --out {path}-plan
```

1. `case.yaml`：年份、折现率、货币。
2. `cities.csv`、`sectors.csv`、`quantities.csv`：在哪里、哪些部门、核算什么。
3. `baseline.csv`：没有新措施时各指标的水平。
4. `measures.csv`、`effects.csv`、`potentials.csv`：措施的成本、效果和各市潜力。
5. `targets.csv`、`budgets.csv`、`fund_rules.csv`：要达到什么、有多少钱。

自己的表格可用 `planner import-data` 导入。`note` 列是示例的说明，可以删除。
""",
    "en": """\
# {name}

Made from the example: two cities, three measures, two targets; all numbers are invented. Change it in this order, and
check after every table.

```
planner check {path}
planner solve {path} --out {path}-plan
```

1. `case.yaml`: years, discount rate, currency.
2. `cities.csv`, `sectors.csv`, `quantities.csv`: where, which sectors, what is accounted.
3. `baseline.csv`: the path of every quantity without new measures.
4. `measures.csv`, `effects.csv`, `potentials.csv`: what measures cost and do, and how much of each a city can have.
5. `targets.csv`, `budgets.csv`, `fund_rules.csv`: what is to be reached, and with how much money.

`planner import-data` brings in tables of your own. The column `note` explains the example and may go.
""",
}


def example() -> Case:
    """The example case."""
    return read_case(EXAMPLE)


def new_case(path: Path, workbook: bool = False, lang: str = "zh") -> Path:
    """Write the example as a new folder, or as a workbook; the case is named after it. Returns what was written.

    Raises CaseError when something stands there already or the name can be no id, OSError when it cannot be written.
    """
    target = path.with_suffix(".xlsx") if workbook and path.suffix.lower() != ".xlsx" else path
    name = target.stem if workbook else target.name
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}", name):
        raise CaseError([error("new_name", Place(name), found=name)])
    if os.path.lexists(target) and (workbook or not target.is_dir() or any(target.iterdir())):
        raise CaseError([error("new_taken", Place(target.name))])
    files = {file.name: file.read_bytes() for file in sorted(EXAMPLE.iterdir()) if file.suffix in (".csv", ".yaml")}
    files[SETTINGS_FILE] = files[SETTINGS_FILE].replace(b"name: starter", f"name: {name}".encode(), 1)
    if workbook:
        with tempfile.TemporaryDirectory() as folder:
            for file, data in files.items():
                (Path(folder) / file).write_bytes(data)
            export_workbook(read_case(folder), target, lang)
    else:
        files["README.md"] = README[lang].format(name=name, path=target).encode()
        made = not target.exists()
        try:
            write_files(target, files)
        except BaseException:
            if made:
                shutil.rmtree(target, ignore_errors=True)
            raise
    return target
