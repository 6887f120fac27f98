"""`upr up`: the whole platform on one machine, each service a process of its own.

- `plan`: which processes there are, where they listen, and what they are told.
- `supervisor`: starts them, waits until they are ready, notices a death, stops them.
- `stopping`: what Ctrl-C, SIGTERM and a closed terminal mean at each moment.
- `lifeline`: how a service notices that `upr up` itself was killed.
- `run`: the order in which all of this happens.
"""
