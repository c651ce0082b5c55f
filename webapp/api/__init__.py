"""The API under ``/api/v1``: ``endpoints`` says what there is, ``serving`` answers, ``openapi`` describes, "
"``stream`` tells
changes as they come."""
