"""Which release of Flask-Login has the interface that this package offers?"""

__title__ = "flask-compat"
__description__ = "Flask-Login's interface on the logic of quart-login"
__url__ = "https://pypi.org/project/quart-login/"
__version_info__ = ("0", "6", "3")
__version__ = ".".join(__version_info__)
__author__ = "The quart-login developers"
__author_email__ = ""
__maintainer__ = "The quart-login developers"
__license__ = "BSD-3-Clause"
__copyright__ = "(c) 2026 the quart-login developers"
