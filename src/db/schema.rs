//! The tables, the same in both databases. Generated from the SQLite side with `diesel print-schema`
//! and then kept by hand where SQLite says less than we know (integers are 64 bits wide).
#![allow(missing_docs)]

diesel::table! {
    instance (id) {
        id -> BigInt,
        settings_revision -> BigInt,
        secret_fingerprint -> Nullable<Text>,
        setup_token_digest -> Nullable<Binary>,
        setup_token_expires_at -> Nullable<Timestamp>,
        lifetime_enforcement_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    settings (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    feature_flags (name) {
        name -> Text,
        enabled -> Bool,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        username_key -> Text,
        name -> Text,
        email -> Text,
        email_key -> Text,
        kind -> Text,
        state -> Text,
        admin -> Bool,
        external -> Bool,
        password_hash -> Nullable<Text>,
        bot_group_id -> Nullable<BigInt>,
        bot_project_id -> Nullable<BigInt>,
        bot_gone_at -> Nullable<Timestamp>,
        created_by_id -> Nullable<BigInt>,
        last_sign_in_at -> Nullable<Timestamp>,
        confirmed_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        expiry_mails -> Text,
        unused_token_mails -> Bool,
        approval_requested_at -> Nullable<Timestamp>,
        signed_up_at -> Nullable<Timestamp>,
        exact_times -> Bool,
        calendar_salt -> Nullable<Binary>,
    }
}

diesel::table! {
    account_links (id) {
        id -> BigInt,
        user_id -> BigInt,
        purpose -> Text,
        salt -> Binary,
        digest -> Binary,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    groups (id) {
        id -> BigInt,
        kind -> Text,
        name -> Text,
        path -> Text,
        description -> Text,
        full_path -> Text,
        full_name -> Text,
        traversal -> Text,
        root_id -> BigInt,
        parent_id -> Nullable<BigInt>,
        owner_id -> Nullable<BigInt>,
        visibility -> Text,
        resource_access_token_creation_allowed -> Bool,
        retain_bots -> Nullable<Bool>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        resource_access_token_notify_inherited -> Nullable<Bool>,
        lock_resource_access_token_notify_inherited -> Bool,
        plan -> Text,
        trial -> Bool,
    }
}

diesel::table! {
    projects (id) {
        id -> BigInt,
        group_id -> BigInt,
        name -> Text,
        path -> Text,
        description -> Text,
        visibility -> Text,
        archived -> Bool,
        default_branch -> Text,
        creator_id -> Nullable<BigInt>,
        last_activity_at -> Timestamp,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    routes (path_key) {
        path_key -> Text,
        group_id -> Nullable<BigInt>,
        project_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    memberships (id) {
        id -> BigInt,
        user_id -> BigInt,
        group_id -> Nullable<BigInt>,
        project_id -> Nullable<BigInt>,
        access_level -> Integer,
        expires_at -> Nullable<Date>,
        bot -> Bool,
        created_by_id -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    access_tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        group_id -> Nullable<BigInt>,
        project_id -> Nullable<BigInt>,
        name -> Text,
        description -> Nullable<Text>,
        scopes -> Text,
        digest -> Binary,
        digest_version -> Integer,
        hint -> Text,
        expires_at -> Nullable<Date>,
        revoked -> Bool,
        impersonation -> Bool,
        previous_token_id -> Nullable<BigInt>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        seven_days_notification_sent_at -> Nullable<Timestamp>,
        thirty_days_notification_sent_at -> Nullable<Timestamp>,
        sixty_days_notification_sent_at -> Nullable<Timestamp>,
        imported_at -> Nullable<Timestamp>,
        grace_until -> Nullable<Timestamp>,
        root_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    access_token_days (token_id, day) {
        token_id -> BigInt,
        day -> Date,
        requests -> BigInt,
    }
}

diesel::table! {
    access_token_uses (token_id) {
        token_id -> BigInt,
        last_used_at -> Timestamp,
        ips -> Text,
    }
}

diesel::table! {
    sessions (id_digest) {
        id_digest -> Binary,
        user_id -> Nullable<BigInt>,
        state -> Text,
        ip -> Text,
        user_agent -> Text,
        created_at -> Timestamp,
        last_seen_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    used_form_nonces (digest) {
        digest -> Binary,
        token_id -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    idempotency_keys (digest) {
        digest -> Binary,
        request_digest -> Binary,
        token_id -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    sign_in_failures (id) {
        id -> BigInt,
        account_digest -> Binary,
        address_prefix -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    audit_events (id) {
        id -> BigInt,
        created_at -> Timestamp,
        event -> Text,
        actor_kind -> Text,
        actor_id -> Nullable<BigInt>,
        actor_name -> Text,
        channel -> Text,
        ip -> Text,
        user_agent -> Text,
        request_id -> Text,
        target_kind -> Text,
        target_id -> Nullable<BigInt>,
        target_name -> Text,
        group_id -> Nullable<BigInt>,
        group_traversal -> Text,
        group_path -> Text,
        details -> Text,
        occurrences -> BigInt,
        refusal_key -> Nullable<Text>,
    }
}

diesel::table! {
    jobs (name) {
        name -> Text,
        handled_until -> Timestamp,
        retry_at -> Nullable<Timestamp>,
        requested -> Bool,
        failures -> BigInt,
        lease_holder -> Nullable<Text>,
        lease_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    job_runs (id) {
        id -> BigInt,
        job -> Text,
        holder -> Text,
        cause -> Text,
        as_of -> Timestamp,
        outcome -> Text,
        counts -> Text,
        error -> Nullable<Text>,
        started_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    emails (id) {
        id -> BigInt,
        key -> Text,
        kind -> Text,
        user_id -> BigInt,
        data -> Text,
        state -> Text,
        attempts -> BigInt,
        due_at -> Timestamp,
        give_up_at -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        settled_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    expiry_notices (id) {
        id -> BigInt,
        token_id -> BigInt,
        interval_days -> BigInt,
        user_id -> BigInt,
        email_key -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    webhooks (id) {
        id -> BigInt,
        group_id -> BigInt,
        name -> Text,
        url -> Text,
        salt -> Binary,
        state -> Text,
        failures -> BigInt,
        disabled_at -> Nullable<Timestamp>,
        disabled_reason -> Nullable<Text>,
        created_by_id -> Nullable<BigInt>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    webhook_deliveries (id) {
        id -> BigInt,
        webhook_id -> BigInt,
        key -> Nullable<Text>,
        event -> Text,
        event_uuid -> Text,
        message_id -> Text,
        body -> Text,
        state -> Text,
        attempts -> BigInt,
        due_at -> Timestamp,
        attempted_at -> Nullable<Timestamp>,
        response_status -> Nullable<BigInt>,
        response_body -> Nullable<Text>,
        duration_ms -> Nullable<BigInt>,
        error -> Nullable<Text>,
        redelivery_of -> Nullable<BigInt>,
        created_at -> Timestamp,
        settled_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    imported_salts (id) {
        id -> BigInt,
        digest -> Binary,
        sealed -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    imported_prefixes (prefix) {
        prefix -> Text,
    }
}

diesel::table! {
    imported_digests (digest) {
        digest -> Binary,
    }
}

diesel::table! {
    removed_repositories (project_id, created_at) {
        project_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::joinable!(projects -> groups (group_id));
diesel::joinable!(access_tokens -> users (user_id));
diesel::joinable!(access_token_uses -> access_tokens (token_id));
diesel::joinable!(access_token_days -> access_tokens (token_id));
diesel::joinable!(webhook_deliveries -> webhooks (webhook_id));

diesel::allow_tables_to_appear_in_same_query!(
    instance,
    settings,
    feature_flags,
    users,
    groups,
    projects,
    routes,
    memberships,
    access_tokens,
    access_token_uses,
    access_token_days,
    sessions,
    used_form_nonces,
    idempotency_keys,
    sign_in_failures,
    audit_events,
    jobs,
    job_runs,
    emails,
    expiry_notices,
    webhooks,
    webhook_deliveries,
    imported_salts,
    imported_prefixes,
    imported_digests,
    account_links,
    removed_repositories,
);

// Webhooks take turns, and so do top-level groups.
diesel::allow_columns_to_appear_in_same_group_by_clause!(
    webhook_deliveries::webhook_id,
    groups::traversal,
);
