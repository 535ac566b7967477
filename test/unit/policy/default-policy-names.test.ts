/** What the default policy makes of tools by the names that agents, frameworks and MCP servers in use give them. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { call, facts } from './support.ts';

const text = readFileSync(new URL('../../../config/policy.yaml', import.meta.url), 'utf8');
const policy = loadPolicy('config/policy.yaml', text);

function rulesFor(name: string): string[] {
  const given = facts({ toolCalls: [call(name, { input: 'x' })] });
  return policy.judge('response', given).matches.map((match) => match.rule);
}

const acts: Readonly<Record<string, string>> = {
  'moves-money': `create_refund stripe_create_refund refund_order create_payout capture_payment create_payment_link
    pay_invoice create_transfer wire_transfer withdraw buy_stock place_order execute_trade create_order checkout purchase
    credit_account issue_credit adjust_balance approve_claim approve_loan send_transaction swap_tokens topup tip
    paypal_create_order bank_transfer run_payroll`,
  'deletes-data': `delete_file remove_user drop_table truncate_table rm purge_queue wipe_disk clear_database empty_trash
    unlink removeDir deleteMany uninstall reset_database format_disk move_to_trash discard_changes_to_files`,
  deploys: `deploy vercel_deploy kubectl_apply terraform_apply create_release publish_package npm_publish merge_pull_request
    push_files create_or_update_file git_push force_push restart_service rollback helm_upgrade ansible_playbook
    trigger_workflow trigger_build update_dns_record reboot_server shutdown`,
  'sends-message': `send_email gmail_send_email reply_to_email slack_post_message chat_postMessage send_sms post_tweet
    send_whatsapp_message notify_user make_call post_to_slack`,
  'grants-rights': `grant_access add_collaborator invite_user create_api_key set_iam_policy share_file reset_password chmod
    make_admin assign_role unlock_account deactivate_user disable_mfa approve_access`,
  'runs-code': `Bash shell exec_command run_terminal_cmd run_in_terminal run_shell_command execute_bash write_stdin
    execute_python code_interpreter repl apply_patch execute_ipython_cell start_process interact_with_process KillShell
    browser_evaluate puppeteer_evaluate evaluate_script mcp__ide__executeCode gh_cli eval`,
  'uses-screen': 'browser_click left_click type_text_at press_key',
};

it.each(Object.entries(acts))('%s holds the tools that do so', (rule, names) => {
  const missed = names.split(/\s+/).filter((name) => !rulesFor(name).includes(rule));
  expect(missed).toEqual([]);
});

const looks = `get_weather web_search WebFetch Read Grep Glob TodoWrite list_files read_file get_file_contents directory_tree
  get_order_status track_order check_balance get_transaction_history list_invoices estimate_refund get_refund_policy
  convert_currency get_stock_price search_customers update_customer_address create_product create_coupon apply_coupon
  get_pull_request list_issues search_code create_branch create_pull_request git_status git_diff git_commit git_checkout
  mcp__git__git_checkout list_workflows get_workflow_run list_pods get_logs kubectl_describe terraform_plan run_tests
  run_query run_report read_email search_emails draft_email get_channel_history list_events check_availability get_user
  list_roles check_permission list_keys summarize evaluate_expression llm_evaluate generate_image file_search
  sequentialthinking attempt_completion handoff_to_agent transfer_to_human transfer_to_agent browser_snapshot
  browser_navigate take_screenshot resolve_library_id memory_search create_entities set_reminder complete_task add_to_cart
  format_document update_plan book_meeting export_csv download_file get_lab_results clear_screen reset_conversation
  remove_background sort_order create_order_summary get_credit_score credit_check get_claim_status start_session launch_app
  close_window get_purchase_history`;

it('tools that look, think or draft pass', () => {
  const held = looks.split(/\s+/).flatMap((name) => rulesFor(name).map((rule) => `${name}: ${rule}`));
  expect(held).toEqual([]);
});
