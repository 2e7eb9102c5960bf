-- What every new database begins with.
CREATE TABLE authors (name text PRIMARY KEY);
INSERT INTO authors VALUES ('ada'), ('grace');
