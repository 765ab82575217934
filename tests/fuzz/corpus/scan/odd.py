if x:
    revision = 'a'
for depends_on in y: pass
a = down_revision = ('b' 'c')
def f(a=(branch_labels := 1)):
    global revision
