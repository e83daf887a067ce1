"""What people type into the console: kept until it is sent, sent once, and by nobody else."""
