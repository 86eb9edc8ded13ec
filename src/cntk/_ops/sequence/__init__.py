"""Operations along sequence axes, and recurrence."""
