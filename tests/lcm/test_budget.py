"""The retry budget."""

from lcm_plugin.lcm.budget import RetryBudget


def test_retries_end_with_the_budget() -> None:
    """As many retries as the budget holds, then none."""
    budget = RetryBudget(3)
    assert [budget.spend() for _ in range(5)] == [True, True, True, False, False]


def test_successes_pay_back() -> None:
    """Ten successes pay for one retry, and never for more than the budget holds."""
    budget = RetryBudget(1)
    budget.spend()
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    for _ in range(100):
        budget.earn()
    assert [budget.spend(), budget.spend()] == [True, False]
