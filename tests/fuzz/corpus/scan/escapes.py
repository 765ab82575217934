revision = '\x41\101\u0041\U00000041\
\''
down_revision = ('a')
