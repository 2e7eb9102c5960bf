CREATE EXTENSION cube;
CREATE TABLE facts (text text, place cube);
INSERT INTO facts VALUES
    ('Sourdough rises because of wild yeast.', '(1, 0, 0)'),
    ('Brakes squeal when their discs are worn.', '(0, 1, 0)'),
    ('Tides follow the moon.', '(0, 0, 1)');
