"""The reference: Jinja2 as Transformers sets it up for chat templates, with a clock that stands still."""

import copy
import datetime
import functools

from jinja2 import nodes
import transformers.utils.chat_template_utils as reference

NOW = datetime.datetime(2024, 7, 26, 12, 34, 56)


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


reference.datetime = FixedClock


@functools.lru_cache(maxsize=1)
def compile_template(template):
    return reference._compile_jinja_template.__wrapped__(template)


def render(template, variables):
    """Returns (text, None), or (None, error) where the reference refuses."""
    try:
        return compile_template(template).render(**copy.deepcopy(variables)), None
    except Exception as error:  # whatever it is: the reference refuses
        return None, f"{type(error).__name__}: {error}"[:160]


def render_without_constant_slices(template, variables):
    """Renders as if no slice were computed ahead, where the reference has other rules than at run time."""
    as_const = nodes.Getitem.as_const

    def not_slices(self, eval_ctx=None):
        if isinstance(self.arg, nodes.Slice):
            raise nodes.Impossible()
        return as_const(self, eval_ctx)

    nodes.Getitem.as_const = not_slices
    compile_template.cache_clear()
    try:
        return render(template, variables)
    finally:
        nodes.Getitem.as_const = as_const
        compile_template.cache_clear()
