revision = 'a'
x = ((]
