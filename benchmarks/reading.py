"""Reads a file again and again, as often as it is told: from opening it to the end of a shuffled
sweep, or one sweep more.

The same program runs in this package's interpreter and in that of the original (Python 3.6), so
that both sides do the same. `readers.py` starts it, and has it read once for each number of steps
that it writes on a line.
"""

import json
import sys

from cntk.io import CBFDeserializer, CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

KINDS = {"ctf": CTFDeserializer, "cbf": CBFDeserializer}


def opened(job, **options):
    """A source of the job's file."""
    streams = StreamDefs(**{name: StreamDef(**given) for name, given in job["streams"].items()})
    return MinibatchSource(KINDS[job["kind"]](job["file"], streams), **options)


def sweep(source, size):
    """Read up to the end of a sweep."""
    while True:
        minibatch = source.next_minibatch(size)
        if not minibatch or next(iter(minibatch.values())).end_of_sweep:
            return


def reads(job):
    """What reads so many times as it is told."""
    kept = [opened(job)] if job["again"] else []

    def run(steps):
        for _ in range(steps):
            sweep(kept[0] if kept else opened(job, max_sweeps=1), job["size"])

    return run


def main():
    run = reads(json.loads(sys.argv[1]))
    for line in sys.stdin:
        run(int(line))
        print("done", flush=True)


if __name__ == "__main__":
    main()
