"""Would the tests see it, if the library were wrong?

    python tests/mutants                    the gate's part: some three minutes
    python tests/mutants --all              everything: an hour, or more
    python tests/mutants --only P10         what has this in its name, or in what it breaks

A *mutant* is the library with one mistake in it.  The tests are run on it, and must fail: it is
*killed*.  A *survivor* is a mistake that no test sees.

`written`   mistakes that somebody thought of, each of which breaks a promise of the library's
`generated` mistakes that a program thinks of, in each line of the core
`survivors` which of those change nothing that anybody could see, and why
`workshop`  where tests are run on a mutant: in a copy of the tree, in a process of their own
`covering`  which tests reach a line
"""
