"""Where student code runs: the policy, what of this machine is shown, starting, watching."""
