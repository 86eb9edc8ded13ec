"""Write down what the original gives for the programs in random_programs.py: run it there, from
this folder.

<interpreter of the original> record_random.py
"""

import os

import numpy as np
from random_programs import programs

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":
    found = {}
    for name, run in programs():
        for k, result in enumerate(run()):
            found[f"{name} #{k}"] = np.asarray(result)
    np.savez_compressed(os.path.join(HERE, "golden", "random_of_the_original.npz"), **found)
    print(len(found), "results")
