"""``python -m radledger.cli``, for where the command is not on the path."""

from radledger.cli import main

main()
