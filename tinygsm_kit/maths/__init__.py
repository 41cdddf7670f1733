"""The ground floor: numbers in text, equations checked exactly, programs parsed and run safely."""
