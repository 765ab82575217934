revision: str = 'a'
down_revision: Union[str, Sequence[str], None] = (
    'b',  # one
    "c",
)
branch_labels: Union['x=1', None] = u'l'
depends_on = [r'd', '''e''']
