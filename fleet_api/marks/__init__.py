"""The API's marks on clips: tags and notes of people, as routes and use cases."""
