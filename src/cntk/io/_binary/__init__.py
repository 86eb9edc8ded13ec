"""The CNTK binary format (CBF): its layout, deserializer, and conversion from and to text."""
