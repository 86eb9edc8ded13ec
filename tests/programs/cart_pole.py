"""A network learns to balance a pole on a cart by deep Q-learning, as programs for CNTK 2 write it
out.

The world is the classic one: a cart on a rail is pushed left or right, fifty times a second, and an
episode ends when the pole leans too far, when the cart leaves the rail, or after `LONGEST` steps.
Each step is worth 1.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

import cntk as C

LONGEST = 200
LEFT_BEHIND = 0.95  # what is a step later is worth that much less


class Cart:
    """A pole of one metre and 0.1 kg on a cart of 1 kg, pushed by 10 N."""

    def __init__(self, rng: np.random.RandomState) -> None:
        self.rng = rng

    def reset(self) -> np.ndarray:
        self.state = self.rng.uniform(-0.05, 0.05, 4)
        self.steps = 0
        return self.state.astype(np.float32)

    def step(self, action: int) -> tuple[np.ndarray, bool]:
        """Push for a fiftieth of a second; return what is seen then, and whether the episode is
        over.
        """
        place, speed, angle, turning = self.state
        sine, cosine = math.sin(angle), math.cos(angle)
        force = 10.0 if action else -10.0
        pull = (force + 0.05 * turning**2 * sine) / 1.1
        bending = (9.8 * sine - cosine * pull) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
        pushing = pull - 0.05 * bending * cosine / 1.1
        self.state = self.state + 0.02 * np.array([speed, pushing, turning, bending])
        self.steps += 1
        fallen = abs(self.state[0]) > 2.4 or abs(self.state[2]) > math.radians(12)
        return self.state.astype(np.float32), bool(fallen) or self.steps >= LONGEST


def create_network() -> tuple[Any, Any, Any, Any]:
    """Return the input, the values of both actions, what they should be, and the loss."""
    seen = C.input_variable(4)
    target = C.input_variable(2)
    values = C.layers.Sequential([C.layers.Dense(64, activation=C.relu), C.layers.Dense(2)])(seen)
    return seen, values, target, C.reduce_mean(C.square(values - target), axis=0)


def lengths_of_episodes(cart: Cart, choose: Any, count: int) -> list[int]:
    lengths = []
    for _ in range(count):
        seen, over = cart.reset(), False
        while not over:
            seen, over = cart.step(choose(seen))
        lengths.append(cart.steps)
    return lengths


def train(num_steps: int = 2000, minibatch_size: int = 64) -> dict[str, Any]:
    """Learn for a number of steps; return how long poles stood by chance, while learning, and at
    the end.
    """
    C.cntk_py.set_fixed_random_seed(1)
    rng = np.random.RandomState(0)
    cart = Cart(rng)
    by_chance = lengths_of_episodes(cart, lambda _: rng.randint(2), 20)

    seen, values, target, loss = create_network()
    older = values.clone(C.CloneMethod.freeze)
    rate = C.learning_parameter_schedule(0.002)
    learner = C.adam(
        values.parameters, rate, 0.9, variance_momentum=0.999, minibatch_size=C.learners.IGNORE
    )
    trainer = C.Trainer(values, (loss, None), [learner])
    memory: deque[tuple[Any, ...]] = deque(maxlen=5000)

    lengths = []
    state = cart.reset()
    for step in range(num_steps):
        epsilon = max(0.05, 1 - step / 1000)
        action = (
            rng.randint(2)
            if rng.rand() < epsilon
            else int(np.argmax(values.eval({seen: state[np.newaxis]})))
        )
        coming, over = cart.step(action)
        fallen = over and cart.steps < LONGEST
        memory.append((state, action, coming, fallen))
        state = coming
        if over:
            lengths.append(cart.steps)
            state = cart.reset()
        if len(memory) >= 100:
            drawn = [memory[i] for i in rng.randint(len(memory), size=minibatch_size)]
            states, actions, later, ends = (np.array(column) for column in zip(*drawn, strict=True))
            wanted = values.eval({seen: states})
            worth = older.eval({older.arguments[0]: later}).max(axis=1)
            wanted[np.arange(minibatch_size), actions] = 1 + LEFT_BEHIND * worth * ~ends
            trainer.train_minibatch({seen: states, target: wanted})
        if step % 50 == 49:
            older = values.clone(C.CloneMethod.freeze)

    learned = lengths_of_episodes(
        cart, lambda s: int(np.argmax(values.eval({seen: s[np.newaxis]}))), 10
    )
    return {"by_chance": by_chance, "lengths": lengths, "learned": learned, "model": values}


if __name__ == "__main__":
    result = train()
    print(
        f"steps by chance: {np.mean(result['by_chance']):.0f}, learned: "
        f"{np.mean(result['learned']):.0f} of {LONGEST}"
    )
