"""Raises its priority."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# ///

# %% before
attempt("nice", os.setpriority, os.PRIO_PROCESS, 0, -5)
attempt("nice_first", os.setpriority, os.PRIO_PROCESS, 1, -5)
attempt("nice_user", os.setpriority, os.PRIO_USER, 0, -5)
attempt("fifo", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))
attempt("round_robin", os.sched_setscheduler, 0, os.SCHED_RR, os.sched_param(1))
deadline = struct.pack("IIQiIQQQ", 48, 6, 0, 0, 0, 10**7, 3 * 10**7, 3 * 10**7)
call("deadline", 314, 0, deadline, 0)
call("io_real_time", 251, 1, 0, 1 << 13)
