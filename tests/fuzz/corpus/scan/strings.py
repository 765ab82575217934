x = f'{a}{{' rb'\'' t"{b['c']}"
y = '''
revision = 1
\'''
'''
z = f'''
{d}
'''
from x import *
exec('a'); sys.modules
