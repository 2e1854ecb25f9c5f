"""Turns warnings into errors, and changes other settings; right answers keep their points.

In the grader's own process, this would be a fault of the grader.
"""

# /// attack
# answers = "right"
# scores = "all"
# prints = ["done"]
# ///

# %% before
import decimal, locale, os, random, sys, warnings
import numpy as np
warnings.simplefilter("error")
np.seterr(all="raise")
np.set_printoptions(precision=0, formatter={"all": lambda x: "?"})
decimal.getcontext().prec = 1
sys.set_int_max_str_digits(640)
sys.float_repr_style = "none"
os.environ.clear()
os.environ["NBGRADER_EXECUTION"] = "validate"
os.environ["HW_GRADING_SEED"] = "not a number"
os.environ["PYTHONHASHSEED"] = "0"
os.chdir("/")
np.random.seed(0)
random.seed(0)

# %% after
print('d' + 'one')
