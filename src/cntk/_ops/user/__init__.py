"""Operations that users define in Python."""
