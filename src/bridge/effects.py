# SPDX-License-Identifier: MIT
"""
effects: what the revision files of a chain do to a schema, read and not run.

Nothing of the application is imported: upgrade() is walked through with Python's ast, its names given to values as
far as they are constants. A body that is all literal operations is `static`. What cannot be followed (a condition, a
loop over what only the database knows, a helper of the application) makes the revision `unknown`, with the place
and the reason; the operations that were seen are listed all the same, as possible ones. The rule throughout: what
is not understood is an obstacle, never skipped.
"""
import ast
import importlib.util
import operator
import os
import sys


def sibling(name):
    """A module out of this folder, under a name that the application cannot have."""
    full = "athanor_" + name
    if full not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.realpath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(full, path)
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


tables, notes, operations = sibling("tables"), sibling("notes"), sibling("operations")
Obstacle = tables.Obstacle
Batch, Construct, Foreign, Function, Handle, LocalClass, Method, Opaque, Path, Started = (
    operations.Batch, operations.Construct, operations.Foreign, operations.Function, operations.Handle,
    operations.LocalClass, operations.Method, operations.Opaque, operations.Path, operations.Started)
OPAQUE, OP, BIND, CONTEXT, DIALECT, INSPECTOR, SESSION = (
    operations.OPAQUE, operations.OP, operations.BIND, operations.CONTEXT, operations.DIALECT, operations.INSPECTOR,
    operations.SESSION)
CONSTANTS, constant, reaches, one_of = (
    operations.CONSTANTS, operations.constant, operations.reaches, operations.one_of)
SIGNATURES, BATCHED = operations.SIGNATURES, operations.BATCHED
EXECUTING, MAKING = operations.EXECUTING, operations.MAKING

UNROLLED = 2000                     # rounds of literal loops in one revision
DEPTH = 12                          # local functions within one another
STEPS = 200000                      # syntax nodes walked in one revision

HARMLESS = frozenset("""__future__ abc base64 binascii calendar collections contextlib copy csv dataclasses datetime
    decimal enum fractions hashlib html inspect itertools json locale logging math numbers operator pprint
    random re secrets statistics string struct textwrap time traceback types typing typing_extensions unicodedata
    uuid warnings zoneinfo sys os""".split())
DANGEROUS = ("os.rename", "os.replace", "os.remove", "os.unlink", "os.mkdir", "os.makedirs", "os.rmdir", "os.link",
             "os.symlink", "os.chmod", "os.chown", "os.truncate", "os.utime", "os.write", "os.open", "os.system", "os.popen", "os.exec", "os.spawn", "os.fork", "sys.exit", "sys.modules", "sys.settrace",
             "operator.methodcaller", "inspect.getmodule", "contextlib.ExitStack")
BUILTINS = frozenset("""print len str int float bool list tuple dict set frozenset sorted reversed enumerate zip range
    min max sum any all isinstance issubclass repr abs round hasattr type iter next ValueError RuntimeError
    Exception KeyError TypeError NotImplementedError bytes ord chr format hash id callable""".split())
FOLDED = {"len": len, "str": str, "int": int, "list": list, "tuple": tuple, "dict": dict, "sorted": sorted,
          "range": range, "enumerate": lambda *a: list(enumerate(*a)), "zip": lambda *a: list(zip(*a)),
          "reversed": lambda a: list(reversed(a)), "min": min, "max": max, "bool": bool, "set": set, "repr": repr,
          "any": any, "all": all}
PURE = {str: "format join lower upper title strip lstrip rstrip replace split startswith endswith capitalize"
             " splitlines partition encode".split(),
        dict: "items keys values get copy".split(), list: "copy index count".split(), tuple: "index count".split()}
MUTATING = {list: ("append", "extend", "insert"), dict: ("update", "setdefault"), set: ("add", "update")}


class Leave(Exception):
    """return, with its value."""

    def __init__(self, value):
        super().__init__()
        self.value = value


class Jump(Exception):
    """break or continue in an unrolled loop."""

    def __init__(self, node):
        super().__init__()
        self.ends_loop = isinstance(node, ast.Break)


# ---- walking through the body -----------------------------------------------------------------------------

OPERATORS = {ast.Add: operator.add, ast.Mod: operator.mod, ast.Mult: operator.mul, ast.Sub: operator.sub,
             ast.BitOr: operator.or_, ast.FloorDiv: operator.floordiv}
COMPARED = {ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
            ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b, ast.Lt: operator.lt, ast.Gt: operator.gt,
            ast.LtE: operator.le, ast.GtE: operator.ge}


class Walker:
    """Walks through one revision's module, then through its upgrade()."""

    def __init__(self, known, path):
        self.known, self.file = known, os.path.basename(path)
        self.operations = operations.Operations(known, self.say)
        self.data, self.lower, self.obstacle = False, None, None
        self.doubts = []            # why what is read now may not be run
        self.depth, self.rounds, self.steps = 0, 0, 0
        self.line = 0
        self.in_type = 0            # in the place of a column's type
        self.in_module = True       # not yet in upgrade()
        self.tree, self.source = None, None     # the module, once it is read
        self.env = None             # its names
        self.hides = False          # something is done of which nothing is known

    # -- findings -------------------------------------------------------------------------------------------

    def say(self, data=False, lower=None):
        self.data = self.data or data
        self.hides = self.hides or bool(data and lower)
        if lower and self.lower is None:
            self.lower = "%s:%d: %s" % (self.file, self.line, lower)

    def hinder(self, node, reason):
        if self.obstacle is None:
            self.obstacle = "%s:%d: %s" % (self.file, getattr(node, "lineno", self.line), reason)

    def guarded(self, node, work):
        """Carries out an operation; what cannot be read is an obstacle, and so is one that may not be run."""
        self.line = self.known.line = node.lineno
        self.known.doubt, self.known.undecided = bool(self.doubts), None
        size, lower = len(self.known.effects), self.lower
        result = OPAQUE
        try:
            result = work()
        except Obstacle as obstacle:
            self.hinder(node, str(obstacle))
        except (IndexError, KeyError, TypeError, AttributeError, ValueError):
            self.hinder(node, "an operation in a form that is not known")
        if self.known.undecided:
            self.hinder(node, self.known.undecided)
        if self.doubts and (len(self.known.effects) > size or self.lower != lower):
            self.hinder(node, self.doubts[-1])
        return OPAQUE if result is None else result

    # -- statements -----------------------------------------------------------------------------------------

    def block(self, body, env):
        for node in body:
            self.statement(node, env)

    def statement(self, node, env):
        self.steps += 1
        if self.steps > STEPS:
            raise Obstacle("a body too large to follow")
        self.line = node.lineno
        method = getattr(self, "on_" + type(node).__name__, None)
        if method is None:
            self.hinder(node, "%s is not followed" % type(node).__name__)
            return
        method(node, env)

    def on_Pass(self, node, env):
        pass

    def on_Expr(self, node, env):
        self.value(node.value, env)

    def on_Assign(self, node, env):
        value = self.value(node.value, env)
        for goal in node.targets:
            self.assign(goal, value, env)

    def on_AnnAssign(self, node, env):
        if node.value is not None:
            self.assign(node.target, self.value(node.value, env), env)

    def on_AugAssign(self, node, env):
        left = self.value(node.target, env) if isinstance(node.target, ast.Name) else OPAQUE
        right = self.value(node.value, env)
        if isinstance(left, (list, dict, set)):
            if self.doubts or not (isinstance(left, list) and isinstance(right, (list, tuple))
                                   and isinstance(node.op, ast.Add)):
                self.hinder(node, "a list or dictionary changed in a way that is not followed")
            else:
                left += right       # the list itself: it may have a second name
            return
        self.assign(node.target, self.combine(node.op, left, right), env)

    def on_NamedExpr(self, node, env):
        value = self.value(node.value, env)
        self.assign(node.target, value, env)
        return value

    def assign(self, goal, value, env):
        if isinstance(goal, ast.Name):
            env[goal.id] = value
        elif isinstance(goal, (ast.Tuple, ast.List)):
            known = isinstance(value, (list, tuple)) and len(value) == len(goal.elts)
            if any(isinstance(part, ast.Starred) for part in goal.elts):
                known = False
            for part, item in zip(goal.elts, value if known else [OPAQUE] * len(goal.elts)):
                self.assign(part.value if isinstance(part, ast.Starred) else part, item, env)
        elif isinstance(goal, ast.Subscript):
            owner, key = self.value(goal.value, env), self.value(goal.slice, env)
            if isinstance(owner, (dict, list)):
                if self.doubts or not constant(key):
                    self.hinder(goal, "a list or dictionary changed in a way that is not followed")
                else:
                    try:
                        owner[key] = value
                    except (TypeError, IndexError):
                        self.hinder(goal, "an assignment that fails")
        else:
            owner = self.value(goal.value, env)
            if reaches(owner) or isinstance(owner, (Path, Batch)):
                self.hinder(goal, "an attribute is set from outside")

    def on_Import(self, node, env):
        for name in node.names:
            if name.asname:
                env[name.asname] = self.module(name.name)
            else:
                env[name.name.split(".")[0]] = self.module(name.name.split(".")[0])

    def on_ImportFrom(self, node, env):
        for name in node.names:
            if name.name == "*":
                self.hinder(node, "import * of %s" % node.module)
                continue
            full = "%s.%s" % (node.module or "", name.name)
            env[name.asname or name.name] = Foreign("." + full) if node.level else self.module(full)

    def module(self, name):
        top = name.split(".")[0]
        if name == "alembic.op":
            return OP
        if name.startswith("alembic.op."):
            return Method(OP, name.rsplit(".", 1)[-1])
        if name == "alembic.context":
            return CONTEXT
        if any(name.startswith(bad) for bad in DANGEROUS):
            return Foreign(name)
        if top in HARMLESS or top == "sqlalchemy" or name == "alembic":
            return Path(name)
        return Foreign(name)

    def on_FunctionDef(self, node, env):
        value = Function(node, env)
        spells = [self.is_spelling(decorator, env) for decorator in node.decorator_list]
        for decorator, is_spelling in zip(node.decorator_list, spells):
            if not is_spelling:
                self.value(decorator, env)
        if node.decorator_list:
            value = OPAQUE if all(spells) else Foreign(node.name)
        env[node.name] = value

    def is_spelling(self, node, env):
        """@compiles(TYPE, ...) says how a type of this file is spelled, which reaches nothing but its name."""
        callee = self.value(node.func, env) if isinstance(node, ast.Call) else None
        if not isinstance(callee, Path) or callee.name != "sqlalchemy.ext.compiler.compiles" or not node.args:
            return False
        kind = self.value(node.args[0], env)
        return isinstance(kind, LocalClass) and kind.is_type

    def on_AsyncFunctionDef(self, node, env):
        env[node.name] = Foreign(node.name)

    def on_ClassDef(self, node, env):
        capable = any(isinstance(one, ast.Name) and isinstance(env.get(one.id), Handle) for one in ast.walk(node))
        for method in [one for one in ast.walk(node) if isinstance(one, ast.FunctionDef)]:
            inside = {arg.arg for arg in ast.walk(method) if isinstance(arg, ast.arg)}
            inside |= {one.id for one in ast.walk(method)
                       if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            for one in ast.walk(method):
                if isinstance(one, ast.Name) and one.id not in inside and one.id not in ("super", node.name):
                    capable = capable or reaches(self.on_Name(one, env))
        env[node.name] = Foreign(node.name) if capable else LocalClass(node.name, self.is_type(node, env))

    def is_type(self, node, env):
        """Does a class derive from SQLAlchemy's types, and from nothing else?"""
        bases = [self.value(base, env) for base in node.bases]
        return bool(bases) and not node.keywords and all(
            isinstance(base, LocalClass) and base.is_type
            or isinstance(base, Path) and not isinstance(base, Foreign) and base.name.startswith("sqlalchemy.")
            and base.name.rsplit(".", 1)[-1].lower() in operations.TYPE_NAMES for base in bases)

    def on_Return(self, node, env):
        raise Leave(self.value(node.value, env) if node.value is not None else None)

    def on_Raise(self, node, env):
        if not self.doubts:
            self.hinder(node, "it raises an error")
            raise Leave(None)

    def on_Assert(self, node, env):
        self.value(node.test, env)

    def on_Delete(self, node, env):
        for goal in node.targets:
            if isinstance(goal, ast.Name):
                env[goal.id] = OPAQUE
            elif reaches(self.value(goal.value, env)) or constant(self.value(goal.value, env)):
                self.hinder(node, "something is deleted in a way that is not followed")

    def on_Global(self, node, env):
        self.hinder(node, "global names are changed")

    on_Nonlocal = on_Global

    def on_Break(self, node, env):
        raise Jump(node)

    on_Continue = on_Break

    def on_With(self, node, env):
        batches = []
        for item in node.items:
            value = self.value(item.context_expr, env)
            if isinstance(value, Batch):
                batches.append(value)
            entered = value if not isinstance(value, Method) else OPAQUE
            if isinstance(value, Handle) and value.what == "block":
                entered = BIND      # a transaction, or the connection that it is of
            if item.optional_vars is not None:
                self.assign(item.optional_vars, entered, env)
            if not isinstance(value, (Batch, Handle)):
                batches.append(None)
        if None in batches and batches.count(None):
            self.doubtful(node, "inside a `with` that is not followed", lambda: self.block(node.body, env), env)
        else:
            self.block(node.body, env)
        for batch in filter(None, batches):
            if batch.recreate == "always" or batch.recreate == "auto" and batch.copies:
                self.known.line = node.lineno
                self.known.note("rebuild", table=batch.table, always=batch.recreate == "always")
                self.guarded(node, lambda: self.known.rebuilt(batch.table))

    def on_If(self, node, env):
        test = self.value(node.test, env)
        if constant(test):
            self.block(node.body if test else node.orelse, env)
            return
        reason = "inside a condition that only a run decides"
        first, second = dict(env), dict(env)
        self.doubtful(node, reason, lambda: self.block(node.body, first), first)
        self.doubtful(node, reason, lambda: self.block(node.orelse, second), second)
        self.merge(env, first, second)

    @staticmethod
    def merge(env, *others):
        for name in {name for other in others for name in other}:
            values = [other.get(name, OPAQUE) for other in others]
            same = all(value is values[0] or constant(value) and constant(values[0]) and value == values[0]
                       for value in values)
            env[name] = values[0] if same else one_of(values, name)

    def doubtful(self, node, reason, work, env):
        """Reads what may or may not be run. A way out in it puts all that follows in doubt, too."""
        self.doubts.append(reason)
        kept = [None]
        try:
            work()
        except (Leave, Jump):
            kept[0] = "behind a way out that only a run decides"
        self.doubts.pop()
        if kept[0]:
            self.doubts.insert(0, kept[0])

    def on_For(self, node, env):
        items = self.value(node.iter, env)
        if isinstance(items, (list, tuple, range, dict, str)) and not isinstance(items, Opaque):
            self.unroll(node, list(items), env)
            return
        if isinstance(items, (set, frozenset)) and constant(items):
            self.unroll(node, sorted(items, key=repr), env)
            return
        self.forget(node, env)
        self.doubtful(node, "in a loop over what is not literal", lambda: self.block(node.body, env), env)
        self.forget(node, env)
        self.block(node.orelse, env)

    def unroll(self, node, items, env):
        for item in items:
            self.rounds += 1
            if self.rounds > UNROLLED:
                raise Obstacle("a loop with too many rounds")
            self.assign(node.target, item, env)
            try:
                self.block(node.body, env)
            except Jump as jump:
                if jump.ends_loop:
                    return
        self.block(node.orelse, env)

    def forget(self, node, env):
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                env[one.id] = OPAQUE

    def on_While(self, node, env):
        self.forget(node, env)
        self.value(node.test, env)
        self.doubtful(node, "in a loop that only a run ends", lambda: self.block(node.body, env), env)
        self.forget(node, env)

    def on_Try(self, node, env):
        size, known_lower = len(self.known.effects), self.lower
        inner = dict(env)
        if not node.handlers:
            inner = env
            self.block(node.body, env)
        else:
            self.doubtful(node, "inside `try`", lambda: self.block(node.body, inner), inner)
        for handler in node.handlers:
            copy = dict(env)
            if handler.name:
                copy[handler.name] = OPAQUE
            self.doubtful(node, "inside `except`", lambda: self.block(handler.body, copy), copy)
            self.merge(env, inner, copy)
        if len(self.known.effects) > size or self.lower != known_lower:
            self.known.line = node.lineno
        self.doubtful(node, "inside `try`", lambda: self.block(node.orelse, env), env)
        self.block(node.finalbody, env)

    # -- expressions ----------------------------------------------------------------------------------------

    def value(self, node, env):
        self.steps += 1
        if self.steps > STEPS:
            raise Obstacle("a body too large to follow")
        method = getattr(self, "on_" + type(node).__name__, None)
        if method is None:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child, env)
            return OPAQUE
        return method(node, env)

    def on_Constant(self, node, env):
        return node.value

    on_Str = on_Num = on_NameConstant = on_Bytes = on_Constant

    def on_Index(self, node, env):
        return self.value(node.value, env)

    def on_Name(self, node, env):
        if node.id in env:
            return env[node.id]
        if node.id in BUILTINS:
            return Path("builtins." + node.id)
        if node.id == "__name__":
            return "migration"
        return Foreign(node.id)

    def sequence(self, node, env):
        found = []
        for part in node.elts:
            if isinstance(part, ast.Starred):
                inner = self.value(part.value, env)
                if not isinstance(inner, (list, tuple)):
                    self.hinder(node, "a list with * of what is not literal")
                    continue
                found += inner
            else:
                found.append(self.value(part, env))
        return found

    def on_List(self, node, env):
        return self.sequence(node, env)

    def on_Tuple(self, node, env):
        return tuple(self.sequence(node, env))

    def on_Set(self, node, env):
        found = self.sequence(node, env)
        return set(found) if all(isinstance(item, CONSTANTS) for item in found) else OPAQUE

    def on_Dict(self, node, env):
        found = {}
        for key, item in zip(node.keys, node.values):
            name = self.value(key, env) if key is not None else None
            value = self.value(item, env)
            if key is None and isinstance(value, dict):
                found.update(value)
            elif key is None or not constant(name) or isinstance(name, (list, dict, set)):
                found = None
                break
            else:
                found[name] = value
        return OPAQUE if found is None else found

    def on_JoinedStr(self, node, env):
        whole, start = "", None
        for part in node.values:
            value = self.value(part.value if isinstance(part, ast.FormattedValue) else part, env)
            plain = not isinstance(part, ast.FormattedValue) or part.conversion == -1 and part.format_spec is None
            if start is None and plain and isinstance(value, (str, int)):
                whole += str(value)
            elif start is None:
                start = whole
        return whole if start is None else Started(start)

    def on_BinOp(self, node, env):
        return self.combine(node.op, self.value(node.left, env), self.value(node.right, env))

    @staticmethod
    def combine(op, left, right):
        both = isinstance(left, (list, tuple)) and type(left) is type(right) and isinstance(op, ast.Add)
        if type(op) in OPERATORS and (both or constant(left) and constant(right)):
            large = isinstance(op, ast.Mult) and (not isinstance(left, (int, str)) or not isinstance(right, int)
                                                  or abs(right) > 1000)
            try:
                return OPAQUE if large else OPERATORS[type(op)](left, right)
            except (TypeError, ValueError, ZeroDivisionError):
                return OPAQUE
        if isinstance(left, str) and type(op) is ast.Add:
            return Started(left)
        if isinstance(left, str) and type(op) is ast.Mod:
            return Started(left.split("%")[0])
        return left if isinstance(left, Started) else OPAQUE

    def on_BoolOp(self, node, env):
        values = [self.value(part, env) for part in node.values[:1]]
        is_and = isinstance(node.op, ast.And)
        for part in node.values[1:]:
            last = values[-1]
            if constant(last) and bool(last) != is_and:
                return last
            if all(constant(value) for value in values):
                values.append(self.value(part, env))
            else:
                self.doubts.append("inside a condition that only a run decides")
                values.append(self.value(part, env))
                self.doubts.pop()
                if constant(values[-1]) and bool(values[-1]) != is_and:
                    return values[-1]
        return values[-1] if all(constant(value) for value in values) else OPAQUE

    def on_UnaryOp(self, node, env):
        value = self.value(node.operand, env)
        if not constant(value):
            return OPAQUE
        if isinstance(node.op, ast.Not):
            return not value
        return -value if isinstance(node.op, ast.USub) and isinstance(value, (int, float)) else OPAQUE

    def on_Compare(self, node, env):
        values = [self.value(part, env) for part in [node.left] + node.comparators]
        if not all(constant(value) for value in values):
            return OPAQUE
        try:
            return all(COMPARED[type(op)](a, b) for op, a, b in zip(node.ops, values, values[1:]))
        except TypeError:
            return OPAQUE

    def on_IfExp(self, node, env):
        test = self.value(node.test, env)
        if constant(test):
            return self.value(node.body if test else node.orelse, env)
        self.doubts.append("inside a condition that only a run decides")
        values = [self.value(part, env) for part in (node.body, node.orelse)]
        self.doubts.pop()
        return one_of(values, "a condition")

    def on_Subscript(self, node, env):
        owner, key = self.value(node.value, env), self.value(node.slice, env)
        try:
            if isinstance(owner, (list, tuple, dict, str)) and constant(key):
                return owner[key]
        except (KeyError, IndexError, TypeError):
            return OPAQUE
        if isinstance(owner, (list, tuple, dict)) and reaches(owner):
            return Foreign("one of several values")
        return owner if isinstance(owner, Foreign) else OPAQUE

    def on_Lambda(self, node, env):
        return Function(node, env)

    def on_Starred(self, node, env):
        return self.value(node.value, env)

    def comprehension(self, node, env):
        """The values of a comprehension with one literal source; None where it has another."""
        inner, part = dict(env), node.generators[0]
        items = self.value(part.iter, env)
        if isinstance(items, dict):
            items = list(items)
        if len(node.generators) > 1 or not isinstance(items, (list, tuple, range, str)):
            for part in node.generators:
                self.forget(part, inner)
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            self.doubts.append("in a loop over what is not literal")
            for part in parts:
                self.value(part, inner)
            self.doubts.pop()
            return None
        found = []
        for item in items:
            self.rounds += 1
            if self.rounds > UNROLLED:
                raise Obstacle("a loop with too many rounds")
            self.assign(part.target, item, inner)
            tests = [self.value(test, inner) for test in part.ifs]
            if not all(constant(test) for test in tests):
                return None
            if all(tests):
                found.append((self.value(node.key, inner), self.value(node.value, inner))
                             if isinstance(node, ast.DictComp) else self.value(node.elt, inner))
        return found

    def on_ListComp(self, node, env):
        found = self.comprehension(node, env)
        return OPAQUE if found is None else found

    on_GeneratorExp = on_ListComp

    def on_SetComp(self, node, env):
        found = self.comprehension(node, env)
        return OPAQUE if found is None or not constant(found) else set(found)

    def on_DictComp(self, node, env):
        found = self.comprehension(node, env)
        if found is None or not all(constant(key) for key, _ in found):
            return OPAQUE
        return dict(found)

    # -- attributes and calls -------------------------------------------------------------------------------

    def on_Attribute(self, node, env):
        owner, name = self.value(node.value, env), node.attr
        if isinstance(owner, Foreign):
            return Foreign("%s.%s" % (owner.name, name))
        if isinstance(owner, Path):
            return self.module("%s.%s" % (owner.name, name)) if not owner.name.startswith("builtins.") else OPAQUE
        if isinstance(owner, Handle):
            return self.handle_attribute(owner, name)
        if isinstance(owner, (Batch, Construct, LocalClass, Opaque)) or constant(owner) \
                or isinstance(owner, (list, dict, set, tuple)):
            return Method(owner, name)
        if isinstance(owner, Method):
            return Method(owner, name)
        return OPAQUE

    @staticmethod
    def handle_attribute(owner, name):
        what = owner.what
        if what == "dialect" and name == "name":
            return "sqlite"
        if what in ("bind", "context", "session") and name == "dialect":
            return DIALECT
        if what in ("bind", "context") and name in ("bind", "engine", "connection") and what != "op":
            return Handle("engine") if name == "engine" else BIND
        if what == "engine":
            return DIALECT if name == "dialect" else "sqlite" if name == "name" else Method(BIND, name)
        if what == "context" and name == "as_sql":
            return False
        return Method(owner, name)

    def on_Call(self, node, env):
        callee = self.value(node.func, env)
        args, kwargs = self.call_arguments(node, env, callee)
        return self.call(node, callee, args, kwargs)

    def call_arguments(self, node, env, callee):
        """Types may come from anywhere: in their place a call of the application is no obstacle."""
        is_column = isinstance(callee, Path) and callee.name.endswith((".Column", ".column"))
        args, kwargs = [], {}
        for at, part in enumerate(node.args):
            in_type = is_column and at in (0, 1)
            self.in_type += in_type
            if isinstance(part, ast.Starred):
                inner = self.value(part.value, env)
                if isinstance(inner, (list, tuple)):
                    args += inner
                else:
                    self.hinder(node, "a call with * of what is not literal")
            else:
                args.append(self.value(part, env))
            self.in_type -= in_type
        for part in node.keywords:
            in_type = part.arg in ("type_", "existing_type", "default", "onupdate", "existing_server_default")
            self.in_type += in_type
            value = self.value(part.value, env)
            self.in_type -= in_type
            if part.arg is not None:
                kwargs[part.arg] = value
            elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
                kwargs.update(value)
            else:
                kwargs[None] = value
        return args, kwargs

    def call(self, node, callee, args, kwargs):
        if isinstance(callee, Function):
            return self.inline(node, callee, args, kwargs)
        if isinstance(callee, Method):
            return self.method(node, callee, args, kwargs)
        if isinstance(callee, Handle) and callee.what == "session":
            return SESSION
        if isinstance(callee, Foreign):
            if self.in_module:
                return Foreign(callee.name + "()")
            if not self.in_type:
                self.hinder(node, "%s() is not followed" % callee.name.lstrip("."))
            return OPAQUE
        if isinstance(callee, Path):
            return self.path(node, callee.name, args, kwargs)
        if isinstance(callee, (LocalClass, Opaque)):
            if any(reaches(value) for value in list(args) + list(kwargs.values())):
                self.hinder(node, "a call that is not followed is given op or the connection")
            return OPAQUE
        self.hinder(node, "a call that is not followed")
        return OPAQUE

    def path(self, node, name, args, kwargs):
        if name.startswith("sqlalchemy"):
            return self.construct(node, name, args, kwargs)
        values = list(args) + list(kwargs.values())
        short = name.rsplit(".", 1)[-1]
        if name.startswith("builtins."):
            whole = short in ("list", "tuple", "dict", "zip", "enumerate", "reversed", "len") or constant(list(args))
            if short in FOLDED and whole and not kwargs and all(self.plain(value) for value in args):
                try:
                    return FOLDED[short](*args)
                except (TypeError, ValueError):
                    return OPAQUE
            if short in ("hasattr", "isinstance", "print", "str", "repr", "type", "id"):
                return OPAQUE
        if any(reaches(value) for value in values) and not name.startswith("logging."):
            self.hinder(node, "%s() is given op, the connection or a function" % short)
        return OPAQUE

    @staticmethod
    def plain(value):
        if isinstance(value, (list, tuple, dict)):
            return len(value) <= UNROLLED and not reaches(value)
        return constant(value) and not (isinstance(value, int) and abs(value) > UNROLLED)

    def construct(self, node, name, args, kwargs):
        short = name.rsplit(".", 1)[-1]
        if short == "inspect" or name.endswith(".Inspector.from_engine"):
            return INSPECTOR
        if short in ("Session", "sessionmaker", "scoped_session"):
            return SESSION
        if short in ("create_engine", "create_async_engine", "engine_from_config", "async_engine_from_config"):
            self.hinder(node, "a connection of its own")
        handed = list(args) + [value for key, value in kwargs.items() if key not in ("default", "onupdate")]
        if short not in ("Table", "MetaData") and any(isinstance(value, (Handle, Function)) for value in handed):
            self.hinder(node, "%s() is given op, the connection or a function" % short)
        if ".event." in name or short == "compiles":
            self.hinder(node, "%s() is not followed" % short)
        return Construct(name, args, kwargs)

    def method(self, node, callee, args, kwargs):
        owner, name = callee.owner, callee.name
        if isinstance(owner, Handle):
            return self.handle_call(node, owner, name, args, kwargs)
        if isinstance(owner, Batch):
            return self.operation(node, name, args, kwargs, owner)
        if isinstance(owner, Method):
            return self.deep(node, callee, args, kwargs)
        if isinstance(owner, Opaque) and name in EXECUTING and args:
            return self.guarded(node, lambda: self.operations.sql(args[0] if args else OPAQUE))
        if name in MAKING:
            if isinstance(owner, Construct) and owner.last.lower() in ("enum", "sequence"):
                return OPAQUE       # no such thing in SQLite
            if not isinstance(owner, (str, list, dict, tuple)):
                self.hinder(node, ".%s() is not followed" % name)
            return OPAQUE
        if isinstance(owner, Construct) and name in EXECUTING:
            return self.guarded(node, lambda: self.operations.sql(args[0] if args else OPAQUE))
        if isinstance(owner, Construct):
            if any(isinstance(value, Handle) for value in args) and name not in ("reflect", "compile"):
                self.hinder(node, ".%s() is given op or the connection" % name)
            return Construct(name, args, kwargs, owner)
        for kind, names in PURE.items():
            if isinstance(owner, kind) and name in names:
                return self.pure(owner, name, args, kwargs)
        for kind, names in MUTATING.items():
            if isinstance(owner, kind):
                if name not in names or self.doubts or None in kwargs:
                    self.hinder(node, "a list or dictionary changed in a way that is not followed")
                    return OPAQUE
                try:
                    return getattr(owner, name)(*args, **kwargs)
                except (TypeError, ValueError):
                    self.hinder(node, "a list or dictionary changed in a way that is not followed")
                    return OPAQUE
        if any(reaches(value) for value in list(args) + list(kwargs.values())):
            self.hinder(node, ".%s() is given op, the connection or a function" % name)
        return OPAQUE

    def deep(self, node, callee, args, kwargs):
        """A method of an attribute: op.impl.x(), User.__table__.update()."""
        first, name = callee.first, callee.name
        what = first.owner.what if isinstance(first.owner, Handle) else None
        is_reading = what == "inspector" or what == "context" and first.name in ("config", "opts")
        if isinstance(first.owner, Batch) or what is not None and not is_reading or name in MAKING:
            self.hinder(node, ".%s.%s() is not followed" % (first.name, name))
        if name in EXECUTING:
            return self.guarded(node, lambda: self.operations.sql(args[0] if args else OPAQUE))
        if any(reaches(value) and not isinstance(value, Method) for value in list(args) + list(kwargs.values())):
            self.hinder(node, ".%s() is given op, the connection or a function" % name)
        if isinstance(first.owner, LocalClass):
            return Construct(name, args, kwargs)
        return OPAQUE

    def pure(self, owner, name, args, kwargs):
        if isinstance(owner, str) and not (all(map(constant, args)) and all(map(constant, kwargs.values()))):
            return Started(owner.split("{")[0]) if name == "format" else OPAQUE
        if args and not constant(args[0]):
            return OPAQUE
        try:
            found = getattr(owner, name)(*args, **kwargs)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            return OPAQUE
        return list(found) if isinstance(owner, dict) and name in ("items", "keys", "values") else found

    def handle_call(self, node, owner, name, args, kwargs):
        what = owner.what
        if self.in_module and what in ("op", "context"):
            self.known.note("module_use", line=node.lineno, name="%s.%s" % (what, name))
        if what == "op":
            return self.operation(node, name, args, kwargs, None)
        if what == "inspector":
            return OPAQUE
        if what == "session":
            return self.session(node, name, args, kwargs)
        if what in ("bind", "engine"):
            return self.bind(node, name, args, kwargs)
        if what == "context":
            if name == "is_offline_mode":
                return False
            if name in ("autocommit_block", "begin_transaction"):
                return Handle("block")
            if name in ("get_bind",):
                return BIND
            if name == "get_context":
                return CONTEXT
            if name in ("get_x_argument", "get_tag_argument"):
                return OPAQUE
            if name == "execute":
                return self.guarded(node, lambda: self.operations.sql(args[0] if args else OPAQUE))
        elif what == "block" and name in ("commit", "rollback", "close", "start"):
            return OPAQUE
        self.hinder(node, ".%s() of the %s is not followed" % (name, what))
        return OPAQUE

    def bind(self, node, name, args, kwargs):
        if name in ("execute", "exec_driver_sql", "scalar", "scalars", "stream"):
            statement = args[0] if args else kwargs.get("statement", OPAQUE)
            return self.guarded(node, lambda: self.operations.sql(statement))
        if name in ("begin", "begin_nested"):
            return Handle("block")
        if name in ("connect", "execution_options", "connection"):
            return BIND
        if name in ("commit", "rollback", "close", "in_transaction", "get_isolation_level"):
            return OPAQUE
        self.hinder(node, ".%s() of the connection is not followed" % name)
        return OPAQUE

    def session(self, node, name, args, kwargs):
        if name in ("execute", "scalar", "scalars"):
            return self.guarded(node, lambda: self.operations.sql(args[0] if args else OPAQUE))
        if name == "__call__":
            return SESSION
        if name in ("connection", "get_bind"):
            return BIND
        if name in ("begin", "begin_nested", "no_autoflush"):
            return Handle("block")
        if name in ("add", "add_all", "delete", "merge", "bulk_save_objects", "bulk_insert_mappings",
                    "bulk_update_mappings", "flush", "commit"):
            self.say(data=True)
            verb = {"delete": "DELETE", "bulk_update_mappings": "UPDATE"}.get(name)
            if verb is not None:
                self.known.note("data", line=node.lineno, name=verb)
            return OPAQUE
        if name == "query":
            self.say(data=True)     # it may end in update() or delete()
            return OPAQUE
        if name in ("rollback", "close", "get", "refresh", "expire_all", "expunge_all", "configure"):
            return OPAQUE
        self.hinder(node, ".%s() of the session is not followed" % name)
        return OPAQUE

    def operation(self, node, name, args, kwargs, batch):
        known = name in SIGNATURES and (batch is None or name in BATCHED)
        if not known:
            self.hinder(node, "%s.%s() is not followed" % ("batch" if batch else "op", name))
            return OPAQUE
        if name == "batch_alter_table":
            return self.start_batch(node, args, kwargs)
        if batch is not None and name not in ("add_column", "create_index", "drop_index", "execute", "f", "get_bind",
                                              "get_context"):
            batch.copies = True
        return self.guarded(node, lambda: self.operations.run(name, args, kwargs, batch))

    def start_batch(self, node, args, kwargs):
        def start():
            given = self.operations.arguments("batch_alter_table", args, kwargs, None)
            strange = [key for key in ("copy_from", "table_args") if given.get(key)]
            if strange:
                raise Obstacle("a batch with %s=" % strange[0])
            recreate = given.get("recreate", "auto")
            if recreate not in ("auto", "always", "never"):
                raise Obstacle("a batch with recreate= that is not literal")
            return Batch(operations.text(given.get("table_name"), "table"), recreate)

        return self.guarded(node, start)

    def inline(self, node, function, args, kwargs):
        self.depth += 1
        try:
            if self.depth > DEPTH:
                raise Obstacle("functions too deep within one another")
            inner = Scope(function.env)
            self.bind_parameters(node, function, args, kwargs, inner)
            if isinstance(function.node, ast.Lambda):
                return self.value(function.node.body, inner)
            if any(isinstance(one, (ast.Yield, ast.YieldFrom, ast.Await)) for one in ast.walk(function.node)):
                self.hinder(node, "%s() is not followed" % function.node.name)
                return OPAQUE
            known_doubts = len(self.doubts)
            try:
                self.block(function.node.body, inner)
                result = None
            except Leave as left:
                result = left.value
            if len(self.doubts) > known_doubts:     # a way out of this function ends with it
                del self.doubts[:len(self.doubts) - known_doubts]
                return OPAQUE if not reaches(result) else Foreign("a value of %s()" % function.node.name)
            return result
        finally:
            self.depth -= 1

    def bind_parameters(self, node, function, args, kwargs, inner):
        spec = function.node.args
        names = [arg.arg for arg in getattr(spec, "posonlyargs", []) + spec.args]
        for name, default in zip(names[len(names) - len(spec.defaults):], spec.defaults):
            inner[name] = self.value(default, function.env)
        for arg, default in zip(spec.kwonlyargs, spec.kw_defaults):
            if default is not None:
                inner[arg.arg] = self.value(default, function.env)
        for name, value in zip(names, args):
            inner[name] = value
        if spec.vararg:
            inner[spec.vararg.arg] = tuple(args[len(names):])
        elif len(args) > len(names):
            self.hinder(node, "a call with more arguments than the function takes")
        known = set(names) | {arg.arg for arg in spec.kwonlyargs}
        more = {key: value for key, value in kwargs.items() if key not in known}
        for key, value in kwargs.items():
            if key in known:
                inner[key] = value
        if spec.kwarg:
            inner[spec.kwarg.arg] = more if None not in more else OPAQUE
        elif more:
            self.hinder(node, "a call with arguments that the function does not take")
        for name in known:
            if name not in inner.own:
                inner[name] = OPAQUE


class Scope(dict):
    """Names of a function over those of the module."""

    def __init__(self, outer):
        super().__init__(outer)
        self.own = set()

    def __setitem__(self, name, value):
        self.own.add(name)
        super().__setitem__(name, value)


# ---- revisions --------------------------------------------------------------------------------------------

def read_source(path):
    with open(path, "rb") as file:
        return file.read()


def module_of(walker, tree):
    """The names of the module; an operation out there would run whenever the chain is loaded."""
    env = {}
    for node in tree.body:
        is_entry = isinstance(node, ast.If) and isinstance(node.test, ast.Compare) \
            and getattr(node.test.left, "id", "") == "__name__"
        if not is_entry:
            walker.statement(node, env)
    return env


def walk(walker, source, path):
    tree = walker.tree = ast.parse(source, path)
    walker.source = source
    # What a module does beside defining names concerns every use of it, not what upgrade() does.
    env = walker.env = module_of(walker, tree)
    if walker.known.effects or walker.data or walker.lower:
        walker.hinder(tree.body[0], "an operation outside upgrade()")
    upgrade = env.get("upgrade")
    if not isinstance(upgrade, Function):
        walker.obstacle = walker.obstacle or "%s:1: no upgrade() that can be followed" % walker.file
        return
    walker.doubts, walker.in_module = [], False
    walker.inline(upgrade.node, upgrade, [], {})


def follow(walker, work):
    """Does the work; whatever stops it is the walker's obstacle."""
    try:
        work()
    except Obstacle as obstacle:
        walker.hinder(None, str(obstacle))
    except (Jump, Leave):
        walker.hinder(None, "a way out that is not followed")
    except SyntaxError as error:
        walker.obstacle = "%s:%d: %s" % (walker.file, error.lineno or 1, error.msg)
    except (OSError, ValueError) as error:
        walker.obstacle = "%s: %s" % (walker.file, getattr(error, "strerror", None) or error)
    except (RecursionError, MemoryError):     # the latter from Python's own parser
        walker.obstacle = "%s: nested too deeply" % walker.file
    except Exception as error:      # ours: the revision is then not understood, which is always a safe answer
        walker.obstacle = "%s:%d: not understood (%s)" % (walker.file, walker.line, type(error).__name__)


def downgrade_of(walker, known, effects, node):
    """Whether downgrade() can be followed, and its effects, on a copy of what upgrade() leaves behind."""
    function = (walker.env or {}).get("downgrade")
    if not isinstance(function, Function) or function.node is not node:
        return False, []
    other = Walker(notes.part_of(known, effects, node), walker.file)
    other.in_module = False
    follow(other, lambda: other.inline(node, function, [], {}))
    return other.obstacle is None and other.lower is None, other.known.effects


def notes_of(walker, known, effects):
    """What the lint wants to know beside the effects."""
    found = dict(read=False, message=None, downgrade=None, notes=known.notes,
                 hides=walker.hides or walker.obstacle is not None)
    try:
        if walker.tree is not None:
            notes.note_module(known, walker.tree, walker.source)
            found.update(
                message=notes.message_of(walker.tree), read=True,
                downgrade=notes.downgrade_of(walker.tree, lambda node: downgrade_of(walker, known, effects, node)))
    except Exception:               # ours, or nested too deeply: nothing is said of it then
        found["read"] = False
    return found


def effects_of(known, ident, path, source=None):
    """What one revision does, after those that `known` has seen."""
    known.start()
    walker = Walker(known, path)
    follow(walker, lambda: walk(walker, read_source(path) if source is None else source, path))
    unknown, lower = walker.obstacle is not None, walker.lower is not None
    known.certain = known.certain and not unknown and not lower
    return {
        "revision": ident,
        "source": "unknown" if unknown else "static",
        "literal": not (unknown or lower or walker.data),
        "data": walker.data,
        "lower_bound": lower,
        "obstacle": walker.obstacle or walker.lower,
        "effects": known.effects,
        "lint": notes_of(walker, known, known.effects),
    }


def effects_of_all(files):
    """One answer for each {"id", "path"}, which are in the order of the chain."""
    known = tables.Known()
    for file in files:
        yield effects_of(known, file["id"], file["path"])
