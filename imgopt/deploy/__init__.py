"""From what running an image showed to files that say how it is to be run.

`model` says what is to be run, `figures` with which numbers and why, `plan` puts both together;
`compose` and `kubernetes` write it. All of it is pure: what lies in a folder comes in as text, what
is to lie there goes out as text.
"""
