// Package emulator is an EC2 Image Builder API that runs in memory and speaks the real wire
// protocol: any client that can be given an endpoint can talk to it, the AWS CLI and every SDK
// included.
//
// Its content is a [Scenario]: what exists, and how far it has come at a given time. An
// [Account] is one that is made of pipelines, images and the courses of workflow executions.
// Every answer follows from the clock, and from what callers changed, so tests are
// deterministic.
//
//	run := emulator.Run{ID: "wf-…", Start: start, Steps: steps}
//	api := &emulator.API{Scenario: emulator.Runs(run)}
//	server := httptest.NewServer(api)
//	// aws imagebuilder get-workflow-execution --endpoint-url $URL …
//
// Other accounts stand behind roles, which the same endpoint lets callers assume, as STS does.
// Two scenarios are ready-made and go on for ever: [Demo], small enough to be read as a whole,
// and [Fleet], with hundreds of pipelines.
//
// The package imports nothing of the exporter, and other programs may use it for their own
// tests. For programs that are not written in Go, emulator/cmd/imagebuilder-emulator serves it.
//
// # Operations
//
// In parentheses is the parameter that an operation needs. It must have the form that the API
// reference gives.
//
// Reads of what a Scenario holds:
//
//   - GetImage(imageBuildVersionArn)
//   - GetImagePipeline(imagePipelineArn)
//   - GetImageRecipe(imageRecipeArn), the one that a pipeline names
//   - GetInfrastructureConfiguration(infrastructureConfigurationArn), in the same way
//   - GetWorkflowExecution(workflowExecutionId)
//   - GetWorkflowStepExecution(stepExecutionId)
//   - ListImageBuildVersions(imageVersionArn)
//   - ListImagePipelineImages(imagePipelineArn)
//   - ListImagePipelines()
//   - ListImageRecipes()
//   - ListImages()
//   - ListInfrastructureConfigurations()
//   - ListTagsForResource(resourceArn) of pipelines and images
//   - ListWaitingWorkflowSteps()
//   - ListWorkflowExecutions(imageBuildVersionArn)
//   - ListWorkflowStepExecutions(workflowExecutionId)
//
// ListImages knows the versions of all images that a Scenario has, but not those that other
// accounts share. An image that FAILED has a failureContext, which follows from the execution
// and the step that failed. Attempt.Failure replaces it.
//
// All other reads of the service are answered, but a Scenario holds nothing for them. These
// lists are empty:
//
//   - ListComponentBuildVersions()
//   - ListComponents()
//   - ListContainerRecipes()
//   - ListDistributionConfigurations()
//   - ListImagePackages(imageBuildVersionArn)
//   - ListImageScanFindingAggregations()
//   - ListImageScanFindings()
//   - ListLifecycleExecutions()
//   - ListLifecyclePolicies()
//   - ListWorkflowBuildVersions()
//   - ListWorkflows()
//
// These find nothing, ResourceNotFoundException:
//
//   - GetComponent(componentBuildVersionArn)
//   - GetComponentPolicy(componentArn)
//   - GetContainerRecipe(containerRecipeArn)
//   - GetContainerRecipePolicy(containerRecipeArn)
//   - GetDistributionConfiguration(distributionConfigurationArn)
//   - GetImagePolicy(imageArn)
//   - GetImageRecipePolicy(imageRecipeArn)
//   - GetLifecycleExecution(lifecycleExecutionId)
//   - GetLifecyclePolicy(lifecyclePolicyArn)
//   - GetMarketplaceResource(resourceArn)
//   - GetWorkflow(workflowBuildVersionArn)
//   - ListLifecycleExecutionResources(lifecycleExecutionId)
//
// What people do about a build that fails, hangs or waits. These operations change an Account,
// and a Scenario that is no Account refuses them with ForbiddenException:
//
//   - StartImagePipelineExecution(imagePipelineArn) adds an image to the pipeline. It is made as
//     the newest one was, and nothing fails. Its build number is above 100000, so that it is
//     never one of a Scenario.
//   - RetryImage(imageBuildVersionArn) repeats what has not completed of an image that FAILED or
//     was CANCELLED, and nothing fails. Where all executions completed, it distributes again.
//   - CancelImageCreation(imageBuildVersionArn) makes an image and its running executions
//     CANCELLED. Executions that have not begun go away.
//   - SendWorkflowStepAction(stepExecutionId) ends a step that waits. With RESUME the execution
//     goes on. With STOP the step fails, and the execution with it unless the step may fail.
//
// STS, at the same endpoint:
//
//   - AssumeRole(RoleArn) checks the external id, DurationSeconds and RoleSessionName.
//   - GetCallerIdentity()
//
// # What is checked
//
//   - Signature: every request needs one of version 4, for the right service, with a date and
//     the signed headers host and x-amz-date. The emulator knows no secret keys, so it accepts
//     every access key and cannot check the signature itself. The credentials of a role must
//     have their session token, and expire.
//   - Region: a request sees only what is in the region that it is signed for.
//   - Ids and ARNs: one that is missing or has the wrong form is an
//     InvalidParameterValueException (InvalidRequestException where something would change), one
//     of something that is not there a ResourceNotFoundException.
//   - Pages: maxResults is from 1 to 25. A token is for the list, the filters and the caller that
//     it was given to, and expires after an hour: InvalidPaginationTokenException. Later pages
//     show what the first one did.
//   - Filters: unknown names, and filters without values, are an InvalidParameterValueException.
//     The lists of recipes and configurations, and those that are empty, take every name; rows
//     have a name, a platform and a version. Owners must be those of the API reference.
//   - Changes: a client token is needed, and answers a second time without a second change. With
//     other parameters it is an IdempotentParameterMismatchException. What cannot be done in the
//     state of an image is an InvalidRequestException or ResourceInUseException.
//
// Every error has a message that says what is wrong.
//
// # What it does not do
//
// It makes no images, and creates, updates or deletes no pipeline, recipe or configuration: such
// operations are unknown, UnknownOperationException. It knows no policies of IAM: all callers may
// do everything, unless API.Fault denies it. It has no limits of its own; see API.Throttle. It
// keeps nothing on disk.
//
// The protocol is restJson1, version 2019-12-02:
// https://docs.aws.amazon.com/imagebuilder/latest/APIReference/.
package emulator
