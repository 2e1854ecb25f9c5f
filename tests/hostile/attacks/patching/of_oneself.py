"""Breaks what only the student's own code uses; right answers keep their points."""

# /// attack
# smoke = true
# answers = "right"
# scores = "all"
# prints = ["done"]
# ///

# %% before
import decimal, os, random, sys, warnings
import numpy as np
VARIANT

# %% after
print('d' + 'one')

# %% variant names
del Checks, assert_close
for name in ('In', 'Out', 'exit'):
    globals().pop(name, None)

# %% variant settings
warnings.simplefilter("error")
np.seterr(all="raise")
np.set_printoptions(precision=0, formatter={"all": lambda x: "?"})
decimal.getcontext().prec = 1
sys.set_int_max_str_digits(640)
os.environ.clear()
os.environ["NBGRADER_EXECUTION"] = "validate"
os.environ["HW_GRADING_SEED"] = "not a number"
os.chdir("/")
np.random.seed(0)
