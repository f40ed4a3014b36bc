"""Least-cost, sequenced portfolios of measures that cut carbon and pollution together."""
