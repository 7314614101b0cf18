"""What an article is: read it, clean it, split it into passages with exact offsets."""
