"""Reads a file from opening it to the end of shuffled sweeps, and prints how long each sweep took.

The same program runs in this package's interpreter and in that of the original (Python 3.6). It is started once for a
workload, then reads once for each line that it is given, so that both sides can take turns.

    python -m benchmarks readers    runs it; by hand: reading.py STREAMS KIND FILE MINIBATCH_SIZE SWEEPS
"""

import gc
import json
import sys
import time

from cntk.io import CBFDeserializer, CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

KINDS = {"ctf": CTFDeserializer, "cbf": CBFDeserializer}


def sweeps(streams, kind, file, size, count):
    """Seconds of each sweep, the first one from before the file is opened."""
    gc.collect()
    start = time.perf_counter()
    source = MinibatchSource(KINDS[kind](file, streams), max_sweeps=count)
    found = []
    while True:
        minibatch = source.next_minibatch(size)
        if not minibatch:
            return found
        if next(iter(minibatch.values())).end_of_sweep:
            now = time.perf_counter()
            found.append(now - start)
            start = now


def main():
    streams = {name: StreamDef(**given) for name, given in json.loads(sys.argv[1]).items()}
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(sweeps(StreamDefs(**streams), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))), flush=True)


if __name__ == "__main__":
    main()
