-- Development data: an administrator (admin@example.com / admin123) with a store, and a few categories. Safe to run again:
-- existing rows are not changed. Not for production.

INSERT INTO users (name, name_folded, email, phone, password_hash, role)
SELECT 'Admin', 'admin', 'admin@example.com', '0000000000', '$2b$10$UG5.LFRKBwmD7Kw9RS.NFumVWUQRnOCCiODtkDI6Lei.5ryPeHjnS', 'admin'
FROM DUAL
WHERE NOT EXISTS (SELECT 1 FROM users WHERE email = 'admin@example.com');

INSERT INTO stores (user_id, name, name_folded)
SELECT u.id, 'Admin''s Store', 'admin''s store'
FROM users u
WHERE u.email = 'admin@example.com' AND NOT EXISTS (SELECT 1 FROM stores s WHERE s.user_id = u.id);

INSERT IGNORE INTO categories (name, name_key)
VALUES ('Books', 'books'), ('Clothing', 'clothing'), ('Electronics', 'electronics'), ('Food', 'food'), ('Home', 'home');
