-- By which server the user was invited or knocks: the one to turn to.
ALTER TABLE stripped_states ADD COLUMN server text;
