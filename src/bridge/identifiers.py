# SPDX-License-Identifier: MIT
"""
identifiers: what a revision file calls itself and its parents, where that is more than a literal: read and not run.

Asked for what the scanner (alembic/scan) leaves open. The module is gone through statement by statement, as Python would
run it, and a name has a value as long as it is a constant: a text, a number, None, a tuple or a fresh list of such; put
together by +, by % and by formatted strings; chosen by a condition that is constant itself. The last assignment wins.
The rule throughout: whatever else may bind a name makes it unsure, with line and reason, until it is plainly
assigned again; a file that reaches its own names by other ways is unsure as a whole. Nothing is imported.
"""
import ast
import re
import warnings

KEYS = ("revision", "down_revision", "depends_on", "branch_labels")
MOST = 1000                         # characters of a text, items of a tuple
BYTES = 1 << 20
NUMBERS = 10 ** 18                  # larger ones are not written out

# Words that lead to a module's own names: anywhere; as more than an attribute; outside functions alone.
REACHING = frozenset("""__import__ __globals__ __builtins__ import_module f_globals f_locals getmodule modules""".split())
CALLED = frozenset("exec eval globals builtins".split())
LOOKING = frozenset("vars locals setattr delattr __dict__".split())
PLAIN = ("sqlalchemy", "alembic", "alembic.op")     # whose public names are known: none of KEYS is among them

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Unsure(Exception):
    """No certain value, with the node and the reason; as a value of a name, too."""

    def __init__(self, node, reason):
        super().__init__(reason)
        self.line = getattr(node, "lineno", 1)
        self.reason = reason


# ---- values -----------------------------------------------------------------------------------------------

def is_scalar(value):
    return value is None or isinstance(value, (str, bool)) or isinstance(value, int) and abs(value) < NUMBERS


def limited(node, value):
    if isinstance(value, (str, tuple, list)) and len(value) > MOST:
        raise Unsure(node, "the value is too long")
    return value


def constant(node, names):
    if not is_scalar(node.value):
        raise Unsure(node, "the value is neither a text nor None")
    return node.value


def name(node, names):
    value = names.get(node.id)
    if node.id not in names or isinstance(value, Unsure):
        raise Unsure(node, "the value takes a name that is not certain")
    if isinstance(value, list):
        raise Unsure(node, "a list with two names may be changed by either")
    return value


def sequence(node, names):
    found = []
    for item in node.elts:
        if isinstance(item, ast.Starred):
            value = fold(item.value, names)
            if not isinstance(value, (tuple, list)):
                raise Unsure(item, "the value unpacks what is not a list")
            found.extend(value)
            continue
        value = fold(item, names)
        if not is_scalar(value):
            raise Unsure(item, "the value is a list within a list")
        found.append(value)
    return found if isinstance(node, ast.List) else tuple(found)


def operation(node, names):
    left, right = fold(node.left, names), fold(node.right, names)
    if isinstance(node.op, ast.Add) and type(left) is type(right) and isinstance(left, (str, tuple, list)):
        return left + right
    if isinstance(node.op, ast.Mod) and isinstance(left, str) and not isinstance(right, list) and \
            re.fullmatch(r"(?:[^%]|%[%sd])*", left):
        try:
            return left % right
        except (TypeError, ValueError):
            pass
    raise Unsure(node, "the value is worked out in a way that is not followed")


def formatted(node, names):
    found = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            found.append(part.value)
            continue
        value, spec = fold(part.value, names), ""
        if part.format_spec is not None:
            spec = formatted(part.format_spec, names)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        known = r"(?:0?[1-9][0-9]?)?d?" if is_number else "s?" if isinstance(value, str) else ""
        if part.conversion not in (-1, ord("s")) or not is_scalar(value) or not re.fullmatch(known, spec) or \
                part.conversion != -1 and spec:
            raise Unsure(part, "the text is formatted in a way that is not followed")
        found.append(format(value, spec))
    return "".join(found)


def choice(node, names):
    return fold(node.body if fold(node.test, names) else node.orelse, names)


FOLDS = {ast.Constant: constant, ast.Name: name, ast.Tuple: sequence, ast.List: sequence, ast.BinOp: operation,
         ast.JoinedStr: formatted, ast.IfExp: choice}
REASONS = {ast.Call: "the value is what a call returns", ast.Attribute: "the value is an attribute"}


def fold(node, names):
    """The value of an expression; raises Unsure."""
    if type(node) not in FOLDS:
        raise Unsure(node, REASONS.get(type(node), "the value is not a constant"))
    return limited(node, FOLDS[type(node)](node, names))


# ---- what a statement may bind ----------------------------------------------------------------------------

def outer_parts(node):
    """The parts of a function or class that belong to the scope around it."""
    if isinstance(node, ast.ClassDef):
        return node.decorator_list + node.bases + node.keywords
    args = node.args
    parts = list(args.defaults) + [one for one in args.kw_defaults if one]
    if isinstance(node, ast.Lambda):
        return parts
    every = getattr(args, "posonlyargs", []) + args.args + args.kwonlyargs + [args.vararg, args.kwarg]
    return parts + node.decorator_list + [one.annotation for one in every if one and one.annotation] + \
        ([node.returns] if node.returns else [])


def parts_of(root):
    """Every node of a statement that belongs to the module's own scope."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        is_scope = isinstance(node, SCOPES + (ast.ClassDef,))
        waiting.extend(outer_parts(node) if is_scope else ast.iter_child_nodes(node))


def bound_by(root):
    """(name, node) of all that a statement may bind; "*" stands for any name."""
    for node in parts_of(root):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id, node
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield alias.asname or alias.name.split(".")[0], node
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node
        elif type(node).__name__ in ("MatchAs", "MatchStar") and node.name:
            yield node.name, node
        elif type(node).__name__ == "MatchMapping" and node.rest:
            yield node.rest, node


def binds_within(root):
    return any(isinstance(node, ast.NamedExpr) for node in ast.walk(root))


BLOCKS = {"If": "if", "For": "for", "AsyncFor": "for", "While": "while", "Try": "try", "TryStar": "try", "With": "with",
          "AsyncWith": "with", "Match": "match", "Delete": "del"}


def reason_of(root, node):
    block = BLOCKS.get(type(root).__name__)
    if block:
        return "the name is bound inside '%s'" % block if block != "del" else "the name is removed by 'del'"
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "an import may bring the name"
    return "the name is bound in a way other than a plain assignment"


# ---- the module -------------------------------------------------------------------------------------------

def words_of(node):
    """The words of a node that might be one of those that lead to a module's own names."""
    if isinstance(node, ast.Name):
        return [node.id] if node.id != "modules" else []
    if isinstance(node, ast.Attribute):
        return [node.attr] if node.attr not in CALLED else []
    if isinstance(node, ast.alias):
        return node.name.split(".") if node.name.count(".") == 0 else node.name.replace("modules", "").split(".")
    if isinstance(node, ast.ImportFrom) and node.module:
        return node.module.replace("modules", "").split(".")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        return [one.value for one in node.args if isinstance(one, ast.Constant)]
    return []


def within_functions(tree):
    """The nodes that do not run when the module is loaded, unless something calls them."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, SCOPES) and id(node) not in found:
            body = node.body if isinstance(node.body, list) else [node.body]
            found.update(id(one) for top in body for one in ast.walk(top))
    return found


def find_reaching(tree):
    """The first place where the file may reach its own names, or None."""
    inner = None
    for node in ast.walk(tree):
        for word in words_of(node):
            if word in REACHING or word in CALLED:
                return node
            if word in LOOKING:
                inner = within_functions(tree) if inner is None else inner
                if id(node) not in inner:
                    return node
    return None


class Module:
    """One file, gone through from top to end."""

    def __init__(self, tree):
        self.tree = tree
        self.names = {}             # name -> value or Unsure
        self.lines = {}             # name -> line of its last binding
        # a function or class that declares a name global may bind it whenever it is called
        self.declared = {one: node for node in ast.walk(tree) if isinstance(node, ast.Global) for one in node.names}
        self.read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        # in a class, too, where it changes the list of the module and then binds another name
        self.read |= {getattr(node.target, "id", None) for node in ast.walk(tree) if isinstance(node, ast.AugAssign)}

    def bind(self, name, node, value):
        self.names[name] = value
        self.lines[name] = node.lineno
        if name in self.declared:
            self.names[name] = Unsure(self.declared[name], "a function declares the name global")

    def unsettle(self, root, but=()):
        """What a statement may bind, and does not plainly, is unsure from here on."""
        for name, node in bound_by(root):
            if name == "*":
                self.unsettle_all(node)
            elif name not in but:
                self.bind(name, node, Unsure(node, reason_of(root, node)))

    def unsettle_all(self, node):
        is_plain = isinstance(node, ast.ImportFrom) and not node.level and (
            node.module in PLAIN or node.module.startswith("sqlalchemy."))
        for name in set(self.names) | set(KEYS):
            if not (is_plain and name in KEYS):
                self.bind(name, node, Unsure(node, "an import of everything may bring the name"))

    def value(self, node):
        """A value, or Unsure as one."""
        try:
            return fold(node, self.names)
        except Unsure as unsure:
            return unsure

    def pairs(self, target, value):
        """[(target, value)] of an assignment to one target, all values worked out before the first is bound."""
        targets = getattr(target, "elts", None)
        if targets is None:
            return [(target, self.value(value))]
        if isinstance(value, (ast.Tuple, ast.List)):
            values = [self.value(one) for one in value.elts]
        else:
            values = self.value(value)
        if isinstance(values, Unsure) or not isinstance(values, (tuple, list)) or len(values) != len(targets) or \
                any(isinstance(one, ast.Starred) for one in targets + getattr(value, "elts", [])):
            return [(one, Unsure(one, "the value is unpacked in a way that is not followed")) for one in targets]
        return list(zip(targets, values))

    def assign(self, root, targets, value):
        if len(targets) > 1:
            common = self.value(value)
            if isinstance(common, list):
                common = Unsure(value, "a list with two names may be changed by either")
            pairs = [(one, common) for one in targets]
        else:
            pairs = self.pairs(targets[0], value)
        plain = [(one, found) for one, found in pairs if isinstance(one, ast.Name)]
        self.unsettle(root, {one.id for one, _ in plain})
        for one, found in plain:
            self.bind(one.id, one, found)

    def extend(self, node):
        """name += value"""
        combined = ast.copy_location(ast.BinOp(ast.copy_location(ast.Name(node.target.id, ast.Load()), node), node.op,
                                               node.value), node)
        value = self.value(combined)
        self.unsettle(node)
        self.bind(node.target.id, node, value)

    def statement(self, node):
        if binds_within(node):
            self.unsettle(node)     # in which order, and whether at all, is not followed
        elif isinstance(node, ast.Assign):
            self.assign(node, node.targets, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            self.assign(node, [node.target], node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            pass                    # an annotation alone binds nothing
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.extend(node)
        else:
            self.unsettle(node)

    def run(self):
        for node in self.tree.body:
            self.statement(node)
        return self

    def field(self, key):
        value = self.names.get(key)
        if key in self.declared and not isinstance(value, Unsure):
            value = Unsure(self.declared[key], "a function declares the name global")
        elif key not in self.names:
            if "__getattr__" not in self.names:
                return answer("absent", line=0)
            value = Unsure(None, "the module makes names up")
        if isinstance(value, list) and key in self.read:
            value = Unsure(None, "the list may be changed where it is read")
            value.line = self.lines[key]
        return settled(value, self.lines.get(key, 1))


def answer(state, texts=(), line=1, reason=None):
    return dict(state=state, texts=list(texts), line=line, reason=reason)


def settled(value, line):
    """A value as it is told: only what is plain ASCII, as in alembic/scan."""
    if isinstance(value, Unsure):
        return answer("escalate", line=value.line, reason=value.reason)
    if value is None:
        return answer("none", line=line)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(one, str) for one in texts):
        return answer("escalate", line=line, reason="the value is neither None nor a text nor a list of texts")
    if not all(re.fullmatch(r"[ -~]*", one) for one in texts):
        return answer("escalate", line=line, reason="the text has a character that is not plain")
    return answer("text" if isinstance(value, str) else "list", texts, line)


def all_unsure(line, reason):
    return {key: answer("escalate", line=line, reason=reason) for key in KEYS}


def identifiers_of(source):
    """(could it be parsed, {key: answer}) of the bytes of one file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        place = find_reaching(tree)
        if place is not None:
            return True, all_unsure(getattr(place, "lineno", 1), "the file may reach its own names")
        module = Module(tree).run()
        return True, {key: module.field(key) for key in KEYS}
    except SyntaxError as error:
        return False, all_unsure(error.lineno or 1, "this Python does not understand the file")
    except (ValueError, RecursionError, MemoryError):
        return False, all_unsure(1, "the file cannot be read as Python")


def identifiers_of_all(files):
    """One answer per file, in their order."""
    for file in files:
        with open(file["path"], "rb") as stream:
            source = stream.read(BYTES + 1)
        parsed, fields = identifiers_of(source) if len(source) <= BYTES else (False, all_unsure(1, "the file is too long"))
        yield dict(id=file["id"], parsed=parsed, fields=fields)
