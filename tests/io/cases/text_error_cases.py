"""Text with mistakes, read with as many errors allowed as it takes, and compared with the original.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`, each between two sound sequences.
"""

BEFORE, AFTER = "0 |A 1 |B 1:1\n", "2 |A 3 |B 3:3\n"

CASES = {
    "sound": "1 |A 2 |B 2:2\n",
    "no number": "1 |A 2 |B 2:2\n1 |A x |B 4:4\n",
    "no number, alone": "1 |A 2 |B 2:2\n1 |A x\n",
    "a comma": "1 |A 2 |B 2:2\n1 |A 2,0 |B 4:4\n",
    "letters behind a number": "1 |A 2 |B 2:2\n1 |A 2.0f |B 4:4\n",
    "too many numbers": "1 |A 2 |B 2:2\n1 |A 2 3 |B 4:4\n",
    "too large an index": "1 |A 2 |B 2:2\n1 |A 4 |B 40:4\n",
    "a negative index": "1 |A 2 |B 2:2\n1 |A 4 |B -4:4\n",
    "no colon": "1 |A 2 |B 2:2\n1 |A 4 |B 4\n",
    "two colons": "1 |A 2 |B 2:2\n1 |A 4 |B 4::4\n",
    "no value": "1 |A 2 |B 2:2\n1 |A 4 |B 4:\n",
    "entries before a wrong one": "1 |A 2 |B 2:2\n1 |A 4 |B 4:4 5:x 6:1\n",
    "a blank line": "1 |A 2 |B 2:2\n\n1 |A 4 |B 4:4\n",
    "a comment alone": "1 |A 2 |B 2:2\n1 |# nothing\n1 |A 4 |B 4:4\n",
    "an unknown stream alone": "1 |A 2 |B 2:2\n1 |C 4\n1 |A 4 |B 4:4\n",
    "a space before a name": "1 |A 2 |B 2:2\n1 | A 4 |B 4:4\n",
    "words before a stream": "1 |A 2 |B 2:2\n1 zz |A 4 |B 4:4\n",
    "more samples than lines": "1 |A 2 |B 2:2 |B 1:1 |A 7\n1 |A 4 |B 4:4\n",
    "two samples on one line": "1 |A 2 |B 2:2 |B 1:1\n",
    "two mistakes on a line": "1 |A 2 |B 2:2\n1 |A x |B 4\n",
    "two mistakes on two lines": "1 |A 2 |B 2:2\n1 |A x |B 4:4\n1 |A 9 |B 4\n",
    "a stream is missing": "1 |A 2\n",
    "all of a stream is wrong": "1 |A x |B 2:2\n",
    "all is wrong": "1 |A x |B 2\n",
}
