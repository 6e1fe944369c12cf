"""How a supervisor ends, as its keeper understands it."""

DONE = 0  # told to go down: it is not started again
CRASHED = 70  # an internal error: started again, after a pause
RUNS_ALREADY = 75  # another supervisor has this home: the keeper waits for that one's end
RESTART = 76  # a newer version is to take over: started again at once
REFUSED = 78  # the home cannot be used: starting again would not help
