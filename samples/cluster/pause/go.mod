module imgopt.local/pause

go 1.24
