"""What the database says of a deployment for those who watch it: numbers, stages of clips, settings"""
