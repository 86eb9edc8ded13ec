"""What a folder of event files holds, told record by record. Runs with the original too, on Python
3.6.
"""

import glob
import os
import re
import struct


def read_records(path):
    """The bytes of each record of a file; asserts that lengths are right. Checksums have their own
    test.
    """
    with open(path, "rb") as file:
        content = file.read()
    position = 0
    while position < len(content):
        (length,) = struct.unpack_from("<Q", content, position)
        record = content[position + 12 : position + 12 + length]
        assert len(record) == length and position + 16 + length <= len(content), (
            "a record is cut short"
        )
        yield record
        position += 16 + length


def read_varint(data, position):
    result = shift = 0
    while True:
        byte = data[position]
        result |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return result, position


def read_fields(data):
    """Field numbers and values of a message: an integer, a float or bytes."""
    position = 0
    while position < len(data):
        key, position = read_varint(data, position)
        number, stored = key >> 3, key & 7
        if stored == 0:
            value, position = read_varint(data, position)
        elif stored in (1, 5):
            size = 8 if stored == 1 else 4
            (value,) = struct.unpack(
                "<d" if stored == 1 else "<f", data[position : position + size]
            )
            position += size
        else:
            length, position = read_varint(data, position)
            value = data[position : position + length]
            position += length
        yield number, value


def grouped(data):
    """The fields of a message by number, each a list."""
    found = {}
    for number, value in read_fields(data):
        found.setdefault(number, []).append(value)
    return found


def shape_of(data):
    return [grouped(dimension).get(1, [0])[0] for dimension in grouped(data).get(2, [])]


def attribute(data):
    key, value = grouped(data)[1][0].decode(), grouped(grouped(data)[2][0])
    if 1 in value:
        return key, [shape_of(shape) for shape in grouped(value[1][0]).get(7, [])]
    if 7 in value:
        return key, shape_of(value[7][0])
    return key, value.get(6, value.get(2))[0] if value else None


def node(data):
    """A node of a graph: name, operation, names of inputs, attributes."""
    found = grouped(data)
    inputs = [name.decode() for name in found.get(3, [])]
    attributes = dict(attribute(each) for each in found.get(5, []))
    unknown = sorted(set(found) - {1, 2, 3, 5})
    return [found[1][0].decode(), found[2][0].decode(), inputs, sorted(attributes.items()), unknown]


def event(data):
    """A record: what it is, and what it holds."""
    found = grouped(data)
    step = found.get(2, [0])[0]
    if 3 in found:
        return ["version", found[3][0].decode()]
    if 4 in found:
        graph = grouped(found[4][0])
        return ["graph", [node(each) for each in graph.get(1, [])], sorted(graph)]
    told = []
    for value in grouped(found[5][0]).get(1, []):
        value = grouped(value)
        tag = value.get(1, [b""])[0].decode()
        if 4 in value:
            picture = grouped(value[4][0])
            told.append([tag, "image", picture[1][0], picture[2][0], picture[3][0]])
        else:
            told.append([tag, value[2][0]])
    return ["summary", step, told]


def read_folder(folder):
    """The records of all files of a folder, file by file."""
    files = sorted(glob.glob(os.path.join(folder, "*tfevents*")))
    return [[event(record) for record in read_records(path)] for path in files]


def renumbered(name, seen):
    """A name with the numbers of uids replaced by their order of appearance."""

    def replace(match):
        if match.group() not in seen:
            seen[match.group()] = "%s_%d" % (match.group(1), len(seen))  # noqa: UP031
        return seen[match.group()]

    return re.sub(r"([A-Z][A-Za-z]*?)(\d+)", replace, name)
