"""The national preventive mechanisms under the Optional Protocol to the Convention against Torture."""
