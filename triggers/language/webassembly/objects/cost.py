"""The cost of lists of objects: following the objects of samples, and conditions on as many as a list keeps apart.

At least nothing, as no object need be present.
"""

from __future__ import annotations

from triggers.language.ir import Ir
from triggers.language.webassembly.counting import Work, WorkRange, work_of
from triggers.language.webassembly.kernels.objects.told import Told, name_of
from triggers.language.webassembly.objects.plan import ListPlan


def for_objects(work: WorkRange, objects: ListPlan) -> WorkRange:
    """What is done for each object, for as many as the list keeps apart."""
    return WorkRange(Work(), work.most.times(objects.most))


def tracking(objects: ListPlan, *, masks: int) -> WorkRange:
    """Taking samples, and beginning and ending with each object of a block; `masks` are those of the program."""
    sizes = {
        "objects": objects.most,
        "slots": objects.most,
        "halvings": objects.levels,
        "fields": len(objects.fields),
        "masks": masks,
        "ring": 1,
    }
    most = Work()
    for once in ("begin_lists", "empty_lists", "know_list"):
        most += work_of(once, **sizes).most
    for each in ("begin_object", "end_object"):
        most += work_of(each, **sizes).most.times(objects.most)
    # the loop over slots, and the arguments of the two calls
    most += Work(call=30 * objects.most)
    return WorkRange(Work(), most + work_of("lists_in_place", **sizes).most)


def work_of_list(ir: Ir, objects: ListPlan) -> dict[int, WorkRange]:
    """The work of the fields of a list's objects and of what is told of them, by node, without the kernels between."""
    found: dict[int, WorkRange] = {}
    for index in objects.nodes:
        node = ir.nodes[index]
        if node.op == "object_field":
            is_key = objects.item.fields[node.integer("field")].type == "id"
            found[index] = for_objects(work_of("fill_key" if is_key else "fill_field"), objects)
    for told in objects.told:
        found[told.node] = work_told(told.kernels, objects.most)
    return found


def work_told(kernels: Told, most: int) -> WorkRange:
    """What an operation over objects takes, of which a list keeps so many apart."""
    once = [work_of(name).most for name in kernels.beginnings]
    once += [work_of(name_of(text)).most for text in (kernels.end,) if text]
    work = work_of(name_of(kernels.add)).most.times(most)
    for each in once:
        work += each
    return WorkRange(Work(), work)
