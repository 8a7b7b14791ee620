"""What features need from the rented world and from the machine, as Protocols."""
