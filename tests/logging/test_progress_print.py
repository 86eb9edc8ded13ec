"""What progress writers are told and what the printer prints.

The lines are those that the original printed, but for a last digit here and there: it sums in
single precision.
"""

from __future__ import annotations

import re
import sys
import time

import pytest
import torch

from cntk.logging import ProgressPrinter, ProgressWriter, TrainingSummaryProgressCallback

HEADER = [
    " average      since    average      since      examples",
    "    loss       last     metric       last              ",
    " ------------------------------------------------------",
]


def minibatches(count):
    """Sizes 3, 4, 3, ...; the k-th has loss (1 + k / 10) ** 2 and metric (1 + k / 10) / 10 for each
    sample.
    """
    for k in range(count):
        samples, x = 3 + k % 2, 1 + k / 10
        yield samples, torch.tensor(x * x * samples), torch.tensor(x / 10 * samples)


def train(writer, count, summaries=(), metric=True):
    for number, (samples, loss, errors) in enumerate(minibatches(count), 1):
        writer.update_training_with_minibatch(samples, loss, errors if metric else None)
        if number in summaries:
            writer.write_training_summary()


def lines(capsys):
    """What was printed; times and speeds, which vary, as a star."""
    return [re.sub(r"\d+\.\d{3}s \(.*", "*", line) for line in capsys.readouterr().out.splitlines()]


def test_only_epochs(capsys):
    train(ProgressPrinter(), 20, {10})
    assert lines(capsys) == ["Finished Epoch[1]: loss = 2.205714 * 35, metric = 14.57% * 35 *"]


def test_table_at_powers_of_two(capsys):
    train(ProgressPrinter(freq=0), 40, {35})
    assert lines(capsys) == [
        *HEADER,
        "        1          1        0.1        0.1             3",
        "     1.22       1.31       0.11      0.114            10",
        "     1.73       2.09       0.13      0.144            24",
        "     3.07       4.23       0.17      0.204            52",
        "     7.04       10.7       0.25      0.324           108",
        "     20.2       20.2       0.45       0.45             4",
        "     21.2       21.7       0.46      0.466            11",
    ]


@pytest.mark.parametrize("first, head", [(0, 0), (2, 2)])
def test_every_third(capsys, first, head):
    train(ProgressPrinter(freq=3, first=first), 20, {10})
    singly = [
        " Minibatch[   1-   1]: loss = 1.000000 * 3, metric = 10.00% * 3;",
        " Minibatch[   2-   2]: loss = 1.210000 * 4, metric = 11.00% * 4;",
        " Minibatch[   3-   3]: loss = 1.440000 * 3, metric = 12.00% * 3;",
    ]
    together = [" Minibatch[   1-   3]: loss = 1.216000 * 10, metric = 11.00% * 10;"]
    assert lines(capsys)[: (3 if first else 1) + 3] == [
        *(singly if first else together),
        " Minibatch[   4-   6]: loss = 1.967273 * 11, metric = 14.00% * 11;",
        " Minibatch[   7-   9]: loss = 2.896000 * 10, metric = 17.00% * 10;",
        "Finished Epoch[1]: loss = 2.205714 * 35, metric = 14.57% * 35 *",
    ]


def test_tag_and_number_of_epochs(capsys):
    train(ProgressPrinter(tag="Training", num_epochs=2), 12, {3, 6, 12})
    assert lines(capsys) == [
        "Finished Epoch[1 of 2]: [Training] loss = 1.216000 * 10, metric = 11.00% * 10 *",
        "Finished Epoch[2 of 2]: [Training] loss = 1.967273 * 11, metric = 14.00% * 11 *",
        "Finished Epoch[3 of 2]: [Training] loss = 3.478095 * 21, metric = 18.57% * 21 *",
    ]


def test_metric_as_a_number(capsys):
    train(ProgressPrinter(freq=2, metric_is_pct=False), 5, {5})
    assert lines(capsys) == [
        " Minibatch[   1-   2]: loss = 1.120000 * 7, metric = 0.105714 * 7;",
        " Minibatch[   3-   4]: loss = 1.582857 * 7, metric = 0.125714 * 7;",
        "Finished Epoch[1]: loss = 1.458824 * 17, metric = 0.120000 * 17 *",
    ]


def test_without_a_metric(capsys):
    train(ProgressPrinter(freq=2), 5, {5}, metric=False)
    assert lines(capsys) == [
        " Minibatch[   1-   2]: loss = 1.120000 * 7, metric = 0.00% * 7;",
        " Minibatch[   3-   4]: loss = 1.582857 * 7, metric = 0.00% * 7;",
        "Finished Epoch[1]: loss = 1.458824 * 17, metric = 0.00% * 17 *",
    ]


def test_evaluate(capsys):
    printer = ProgressPrinter(test_freq=3, test_first=2)
    for samples, _, metric in minibatches(7):
        printer.update_test(samples, metric)
    printer.write_test_summary()
    printer.write_test_summary()
    assert lines(capsys) == [
        " Evaluation Minibatch[   1-   1]: metric = 10.00% * 3;",
        " Evaluation Minibatch[   2-   2]: metric = 11.00% * 4;",
        " Evaluation Minibatch[   3-   3]: metric = 12.00% * 3;",
        " Evaluation Minibatch[   4-   6]: metric = 14.00% * 11;",
        "Finished Evaluation [1]: Minibatch[1-7]: metric = 13.00% * 24;",
        "Finished Evaluation [2]: Minibatch[1-0]: metric = 0.00% * 0;",
    ]


def test_table_of_a_test(capsys):
    printer = ProgressPrinter(test_freq=0)
    for samples, _, metric in minibatches(7):
        printer.update_test(samples, metric)
    assert lines(capsys) == [
        "                            0.1        0.1             3",
        "                           0.11      0.114            10",
        "                           0.13      0.144            24",
    ]


@pytest.mark.parametrize(
    "loss, metric, samples, updates, table, minibatch, epoch",
    [
        (1e-9, 1e-12, 1, 1, "    1e-09      1e-09      1e-12      1e-12             1",
         " Minibatch[   1-   1]: loss = 0.000000 * 1, metric = 0.00% * 1;",
         "Finished Epoch[3]: loss = 0.000000 * 1, metric = 0.00% * 1 123456.789s (  0.0 "
         "samples/s);"),
        (123456.0, 12345678.0, 10**6, 123456, " 1.23e+05   1.23e+05   1.23e+07   1.23e+07       "
                                              "1000000",
         " Minibatch[   1-123456]: loss = 123456.000000 * 1000000, metric = 1234567800.00% * "
         "1000000;",
         "Finished Epoch[3]: loss = 123456.000000 * 1000000, metric = 1234567800.00% * 1000000 "
         "123456.789s (  8.1 samples/s);"),
        (float("nan"), float("inf"), 12345678901, 99999, "      nan        nan        inf        "
                                                         "inf    12345678901",
         " Minibatch[   1-99999]: loss = nan * 12345678901, metric = inf% * 12345678901;",
         "Finished Epoch[3]: loss = nan * 12345678901, metric = inf% * 12345678901 123456.789s "
         "(100000.0 samples/s);"),
        (-1.5, 0.0, 3, 7, "     -1.5       -1.5          0          0             3",
         " Minibatch[   1-   7]: loss = -1.500000 * 3, metric = 0.00% * 3;",
         "Finished Epoch[3]: loss = -1.500000 * 3, metric = 0.00% * 3 123456.789s (  0.0 "
         "samples/s);"),
    ],
)  # fmt: skip
def test_numbers_of_any_size(capsys, loss, metric, samples, updates, table, minibatch, epoch):
    pairs = (0, samples), (0, updates), (0, loss * samples), (0, metric * samples)
    ProgressPrinter(freq=0).on_write_training_update(*pairs)
    printer = ProgressPrinter(freq=1)
    printer.on_write_training_update(*pairs)
    printer.on_write_training_summary(
        samples, updates, 3, loss * samples, metric * samples, 123456789
    )
    assert capsys.readouterr().out.splitlines() == [*HEADER, table, minibatch, epoch]


def test_no_samples_at_all(capsys):
    printer = ProgressPrinter()
    printer.on_write_training_summary(0, 0, 1, 0, 0, 0)
    line = "Finished Epoch[1]: loss = 0.000000 * 0, metric = 0.00% * 0 0.000s (  0.0 samples/s);"
    assert capsys.readouterr().out.splitlines() == [line]


def test_other_values(capsys):
    printer = ProgressPrinter()
    printer.write("Learning rate per 1 samples", 1e-9)
    printer.log("hello")
    printer.on_write_distributed_sync_update((0, 4), (0, 1), (0, 0.5))
    printer.end_progress_print("bye")
    assert lines(capsys) == [
        "Learning rate per 1 samples: 1e-09",
        "hello",
        "Distributed training: #Syncs elapsed = 1, #Samples elapsed = 4",
        "CNTKCommandTrainEnd: train",
    ]


def test_log_file(capsys, tmp_path):
    printer = ProgressPrinter(freq=2, log_to_file=str(tmp_path / "log"), rank=1, num_epochs=7)
    train(printer, 3)
    printer.end_progress_print("bye")
    name = str(tmp_path / "logrank1")
    assert lines(capsys) == [f"Redirecting log to file {name}"]
    assert (tmp_path / "logrank1").read_text().splitlines() == [
        name,
        "CNTKCommandTrainInfo: train : 7",
        "CNTKCommandTrainInfo: CNTKNoMoreCommands_Total : 7",
        "CNTKCommandTrainBegin: train",
        " Minibatch[   1-   2]: loss = 1.120000 * 7, metric = 10.57% * 7;",
        "CNTKCommandTrainEnd: train",
        "bye",
    ]


def test_heartbeat(capsys, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    printer = ProgressPrinter(gen_heartbeat=True)
    beats = []
    for _ in range(6):
        train(printer, 1)
        beats.append(len(lines(capsys)))
        clock[0] += 6
    assert beats == [1, 0, 1, 0, 1, 0]


class Listener(ProgressWriter):
    def __init__(self, *frequencies):
        super().__init__(*frequencies)
        self.heard = []

    def on_training_update_end(self):
        self.heard.append(("end", self.total_training_updates()))

    def on_write_training_update(self, samples, updates, aggregate_loss, aggregate_metric):
        self.heard.append((samples, updates, aggregate_loss, aggregate_metric))

    def on_write_training_summary(
        self, samples, updates, summaries, aggregate_loss, aggregate_metric, elapsed
    ):
        assert isinstance(elapsed, int)
        self.heard.append((samples, updates, summaries, aggregate_loss, aggregate_metric))

    def on_write_test_update(self, samples, updates, aggregate_metric):
        self.heard.append((samples, updates, aggregate_metric))

    def on_write_distributed_sync_update(self, samples, updates, aggregate_metric):
        self.heard.append(("sync", samples, updates, aggregate_metric))


def test_what_a_writer_is_told():
    writer = Listener(2)
    for k in range(1, 4):
        writer.update_training_with_minibatch(k, torch.tensor(float(k)), torch.tensor(0.5))
    writer.write_training_summary()
    writer.update_training_with_minibatch(1, 1.0)
    assert writer.heard == [
        ("end", 1),
        ((0, 3), (0, 2), (0.0, 3.0), (0.0, 1.0)),
        ("end", 2),
        ("end", 3),
        (6, 3, 1, 6.0, 1.5),
        ("end", 4),
    ]
    assert all(type(x) is float for x in writer.heard[1][2])


@pytest.mark.parametrize(
    "frequency, first, written_at",
    [
        (1, 0, range(1, 13)),
        (2, 3, [1, 2, 3, 4, 6, 8, 10, 12]),
        (0, 6, [1, 3, 7]),
        (sys.maxsize, 2, [1, 2]),
    ],
)
def test_when_a_writer_is_told(frequency, first, written_at):
    writer = Listener(frequency, first, frequency, first, frequency, first)
    for _ in range(12):
        writer.update_training_with_minibatch(1, 1.0)
    told = [entry[1][1] for entry in writer.heard if entry[0] != "end"]
    assert told == list(written_at)
    writer.heard.clear()
    for _ in range(12):
        writer.update_test(1, 1.0)
        writer.update_distributed_sync(1)
    assert [entry[1][1] for entry in writer.heard if entry[0] != "sync"] == told
    assert [entry[2][1] for entry in writer.heard if entry[0] == "sync"] == told


def test_sums_stay_on_the_device_until_they_are_written(monkeypatch):
    reads = []
    convert = torch.Tensor.__float__
    monkeypatch.setattr(torch.Tensor, "__float__", lambda self: reads.append(1) or convert(self))
    writer = Listener(100)
    for _ in range(199):
        writer.update_training_with_minibatch(2, torch.tensor(0.25), torch.tensor(1.0))
    assert len(reads) == 2  # loss and metric, once
    assert writer.heard[99] == ((0, 200), (0, 100), (0.0, 25.0), (0.0, 100.0))


def test_long_sums_keep_their_precision():
    writer = Listener()
    for _ in range(100_000):
        writer.update_training_with_minibatch(1, torch.tensor(0.1), None)
    writer.write_training_summary()
    assert writer.heard[-1][3] == pytest.approx(100_000 * 0.1, rel=1e-6)


@pytest.mark.parametrize(
    "frequency, error", [(-1, ValueError), (-1, OverflowError), (1.5, TypeError), ("a", TypeError)]
)
def test_frequencies_refused(frequency, error):
    with pytest.raises(error, match="frequenc"):
        ProgressPrinter(freq=frequency)


def test_true_is_every_minibatch():
    assert Listener(True)._training.frequency == 1


def test_callback_at_the_end_of_epochs():
    calls = []
    writer = TrainingSummaryProgressCallback(10, lambda *arguments: calls.append(arguments))
    train(writer, 8, {3, 8})
    assert [(epoch, samples) for epoch, _, _, samples in calls] == [(0, 10), (1, 18)]
    assert calls[0][1:3] == pytest.approx((12.16, 1.1), rel=1e-6)
    with pytest.raises(TypeError, match="expected a function"):
        TrainingSummaryProgressCallback(5, 3)


def by_hand(printer, count):
    for k in range(count):
        printer.update(1.5 + k, 10 + k, 0.1 * k)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_reporting_by_hand(capsys):
    printer = ProgressPrinter(freq=2, first=1, tag="T", num_epochs=3)
    by_hand(printer, 5)
    assert printer.avg_loss_since_start() == pytest.approx(3.6666666666666665)
    assert printer.avg_metric_since_last() == pytest.approx(0.4)
    printer.update(2.0, 10)
    assert printer.epoch_summary(with_metric=True) == pytest.approx(
        (3.4285714285714284, 0.18571428571428572, 70)
    )
    printer.update(2.0, 10, 0.5)
    assert printer.epoch_summary() == (2.0, 0.5, 10)
    assert lines(capsys) == [
        " Minibatch[   1-   1]: loss = 1.500000 * 10, metric = 0.00% * 10;",
        " Minibatch[   2-   2]: loss = 2.500000 * 11, metric = 10.00% * 11;",
        " Minibatch[   3-   4]: loss = 4.020000 * 25, metric = 25.20% * 25;",
        " Minibatch[   5-   6]: loss = 4.041667 * 24;",
        "Finished Epoch[1 of 3]: [T] loss = 3.428571 * 70, metric = 18.57% * 70 *",
        " Minibatch[   1-   1]: loss = 2.000000 * 10, metric = 50.00% * 10;",
        "Finished Epoch[2 of 3]: [T] loss = 2.000000 * 10 *",
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_reporting_a_table_by_hand(capsys):
    printer = ProgressPrinter(freq=0)
    by_hand(printer, 5)
    assert printer.reset_last() == pytest.approx((135.5 / 27, 9.5 / 27, 27))
    assert printer.epoch_summary() is None
    assert printer.reset_start() == pytest.approx((220 / 60, 13 / 60, 60))
    assert lines(capsys) == [
        *HEADER,
        "      1.5        1.5          0          0            10",
        "     2.56       3.02      0.106      0.152            33",
    ]


def test_reporting_by_hand_is_deprecated():
    with pytest.warns(DeprecationWarning, match="pass the ProgressPrinter to Trainer"):
        ProgressPrinter().update(1.0, 2)
