-- One user for Hearth, who may do everything in a database of its own: Hearth makes its tables by itself. For a home, where
-- the server is on the broker's machine. Put a password in the place of CHANGE ME, and run this as the server's owner:
--
--   mariadb < home.sql
--
-- A broker on another machine: put that machine's name or address in the place of localhost.

CREATE DATABASE IF NOT EXISTS hearth CHARACTER SET utf8mb4;

CREATE USER IF NOT EXISTS hearth@localhost IDENTIFIED BY 'CHANGE ME';
GRANT ALL PRIVILEGES ON hearth.* TO hearth@localhost;
