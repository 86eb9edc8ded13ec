"""Operations on shapes, axes and indices."""
