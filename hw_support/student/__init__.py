"""The student's commands: doctor, check, pdf and zip."""
