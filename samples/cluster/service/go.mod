module imgopt.local/service

go 1.24
