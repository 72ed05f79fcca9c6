DROP TABLE sign_in_failures;
DROP TABLE used_form_nonces;
DROP TABLE sessions;
