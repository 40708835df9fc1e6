"""Git as a source of actors: one bare repository per URL, read without ever checking out.

url        what a URL means, which are refused, what may be shown of it
program    runs git with a clean environment, inside limits
progress   what git says about how far it has come
failures   what git's complaints mean
store      the bare repository of a URL in the cache: what the remote has, and fetching
objects    reads commits, trees and files through one `git cat-file --batch`
folder     the folder of an actor as git stored it, with every hostile thing refused
lfs        the files that a repository holds only pointers to
lfs_server the server that has them
revisions  from a requested ref to a commit
history    how many commits lie between two
"""
