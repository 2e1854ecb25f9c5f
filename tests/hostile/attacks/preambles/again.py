# A test that hands over a function, which hands over itself.
# %% test_apply
def again(g):
    return g(again)
checks = Checks("apply")
@checks.part("again and again", points=2)
def _():
    assert_close(apply(again, 1.0), 4242.0)
checks.score()
